"""One reading of the samples that a row holds, for a table's rows and for a labelled file's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurify.collecting.labelled import read_labelled
from aurify.rationales import read_rationales
from aurify.rationales.written import written_samples

ROWS: list[tuple[dict[str, Any], list[str]]] = [
    ({"text": "a"}, ["a"]),
    ({"generation": "a"}, ["a"]),
    ({"rationale": "a", "text": "b"}, ["a"]),
    ({"solution": "gold", "response": "a"}, ["a"]),
    ({"samples": ["a", {"content": "b"}], "text": "not this"}, ["a", "b"]),
    ({"solutions": [{"solution": "a"}]}, ["a"]),
    ({"gpt": {"solution": "a"}, "palm": {"text": "b"}}, ["a", "b"]),
    ({"output": "a", "meta": {"text": "not this"}}, ["a"]),
    ({"samples": []}, []),
]


@pytest.mark.parametrize(("fields", "texts"), ROWS)
def test_both_readers_find_the_same(fields: dict[str, Any], texts: list[str], tmp_path: Path) -> None:
    assert [one.text for one in written_samples(fields)] == texts
    path = tmp_path / "samples.jsonl"
    asked = {"question": "How many?", "answer": 2}
    kept = {"question": "How many?", "samples": ["kept"]}
    path.write_text("".join(json.dumps(row) + "\n" for row in ({**asked, **fields}, {**asked, **kept})))
    labelled = read_labelled(path)
    assert [one.text for samples in labelled.samples.values() for one in samples] == [*texts, "kept"]
    assert [one.text for one in read_rationales(path)] == [*texts, "kept"]


def test_an_object_a_model_is_told_with_the_models_name() -> None:
    assert [(one.text, one.model) for one in written_samples({"gpt": {"text": "a"}})] == [("a", "gpt")]
    assert [one.model for one in written_samples({"samples": ["a"], "model": "gpt"})] == [""]


@pytest.mark.parametrize(
    "fields", [{}, {"solution": "gold"}, {"samples": [3]}, {"samples": [{"label": 1}]}, {"text": 1}]
)
def test_no_text_is_told(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected its text, in a field named rationale"):
        list(written_samples(fields))
