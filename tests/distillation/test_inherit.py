"""What ``--from FOLDER`` says where the user does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aurify.distillation.inherit import inherit
from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError, UsageError
from aurify.settings import resolve

SAMPLED = """model = "gpt-4o-mini"
data = "questions.jsonl"
question_field = "q"
answers = "number"
few_shot = "examples.txt"
max_new_tokens = 2048
seed = 7
prompt = "direct"
"""
IMPORTED = """file = "samples.jsonl"
question_field = "q"
answers = "number"
skip_bad = true
"""
TRAINED = """method = "trice"
model = "nugget"
data = "questions.jsonl"
holdout = 0.4
seed = 7
few_shot = "examples.txt"
"""


def changed(folder: Path, config: str, **given: Any) -> dict[str, Any]:
    """What is set in the end, beside the method and the folder."""
    (folder / "config.toml").write_text(config)
    settings = inherit(resolve(DistillSettings, {"method": "kd", "from_": str(folder), **given}))
    return {name: getattr(settings, name) for name in settings.model_fields_set - {"method", "from_"}}


def test_a_teachers_prompt_seed_and_length_are_not_the_students(tmp_path: Path) -> None:
    assert changed(tmp_path, SAMPLED, model="m") == {
        "model": "m", "data": "questions.jsonl", "question_field": "q", "answers": "number"
    }  # fmt: skip
    assert changed(tmp_path, SAMPLED, model="m", data="mine.jsonl") == {"model": "m", "data": "mine.jsonl"}
    assert changed(tmp_path, IMPORTED, model="m", data="mine.jsonl") == {"model": "m", "data": "mine.jsonl"}


def test_a_table_of_a_teachers_has_no_model_to_train(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model is missing"):
        changed(tmp_path, SAMPLED)
    with pytest.raises(UsageError, match="--data is missing"):
        changed(tmp_path, IMPORTED, model="m")


def test_a_training_run_gives_its_split_and_prompt_too(tmp_path: Path) -> None:
    found = changed(tmp_path, TRAINED, model="m", seed=1)
    assert found == {
        "model": "m", "data": "questions.jsonl", "holdout": 0.4, "seed": 1, "few_shot": "examples.txt"
    }  # fmt: skip
    with pytest.raises(AurifyError, match="finish the run first, or give --model"):
        changed(tmp_path, TRAINED)


def test_what_belongs_to_the_answers_comes_with_them(tmp_path: Path) -> None:
    config = TRAINED + 'answers = "code"\ncode_timeout = 3.0\n'
    (tmp_path / "model").mkdir()
    assert changed(tmp_path, config, model="m")["code_timeout"] == 3.0
    assert changed(tmp_path, config, model="m", answers="code", code_timeout=7.0)["code_timeout"] == 7.0
    assert "code_timeout" not in changed(tmp_path, config, model="m", answers="number")


@pytest.mark.parametrize(("key", "foreign", "known"), [("dtype", "mixed", "bfloat16"), ("prompt", "direct", "chat")])
def test_what_only_a_training_run_can_be_is_left_to_auto(key: str, foreign: str, known: str, tmp_path: Path) -> None:
    assert key not in changed(tmp_path, f'{TRAINED}{key} = "{foreign}"\n', model="m")
    assert changed(tmp_path, f'{TRAINED}{key} = "{known}"\n', model="m")[key] == known


def test_how_a_file_was_read_says_nothing_of_questions_given_in_python(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(SAMPLED)
    asked = {"method": "kd", "from_": str(tmp_path), "model": "m"}
    found = inherit(resolve(DistillSettings, asked), reads=False)
    assert (found.question_field, found.answers) == (None, "number")
    given = inherit(resolve(DistillSettings, {**asked, "question_field": "mine"}), reads=False)
    assert given.question_field == "mine"  # which is then refused
