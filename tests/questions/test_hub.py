from __future__ import annotations

import json
from pathlib import Path

import pytest

from aurify.errors import AurifyError, UsageError
from aurify.questions import load_questions
from aurify.questions.hub import hub_task


@pytest.fixture
def data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set folder, which the hub's library opens by the same call as a name on the hub."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "sums"
    folder.mkdir()
    for split, number in (("train", 1), ("test", 2)):
        (folder / f"{split}.jsonl").write_text(json.dumps({"question": f"{number} + 1?", "answer": number + 1}))
    return f"hf:{folder}"


def test_a_split_is_chosen_or_train(data_set: str) -> None:
    train = load_questions(data_set)
    assert [(one.text, one.answer, one.where) for one in train] == [("1 + 1?", "2", f"{data_set}:1")]
    assert train.notes == [f"{data_set}: the split 'train' was read"]
    assert train[0].task == "sums"
    assert load_questions(f"{data_set}:default:test")[0].text == "2 + 1?"
    with pytest.raises(UsageError, match="no split 'tset': did you mean 'test'"):
        load_questions(f"{data_set}::tset")


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(AurifyError, match=r"hf:.*: cannot be loaded: ") as caught:
        load_questions(f"hf:{tmp_path / 'nothing'}")
    assert "\n" not in str(caught.value)
    for name in ("hf:", "hf:a:b:c:d"):
        with pytest.raises(UsageError, match="expected hf:NAME"):
            load_questions(name)


def test_the_task_is_the_configuration_or_the_last_part_of_the_name() -> None:
    names = ("hf:openai/gsm8k:main", "hf:lukaemon/bbh:navigate:test", "hf:ChilleD/SVAMP")
    assert [hub_task(name) for name in names] == ["gsm8k", "navigate", "SVAMP"]
