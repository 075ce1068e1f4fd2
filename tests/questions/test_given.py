"""RowsInPython in Python are read as a file of the same rows is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from aurify.errors import AurifyError, UsageError
from aurify.questions import Question, load_questions
from aurify.questions.given import all_given

NUMBERS = [{"question": f"What is {i} plus 2?", "answer": f"{i} + 2\n#### {i + 2}"} for i in range(4)]
FILES: dict[str, list[dict[str, Any]]] = {
    "numbers": NUMBERS,
    "ids": [{"id": 7, "Question": "2+2?", "ANSWER": 4}, {"id": 8, "Question": "2+3?", "ANSWER": 5.0}],
    "choices": [
        {"question": "Which?", "choices": {"text": ["red", "blue"], "label": ["A", "B"]}, "answerKey": "B"},
        {"question": "What?", "choices": {"text": ["one", "two"], "label": ["A", "B"]}, "answerKey": "A"},
    ],
    "several": [{"question": "Which river?", "answers": ["Rhine", "Rhein"]}, {"question": "What?", "answers": ["x"]}],
    "verl": [{"prompt": [{"role": "user", "content": "2+2?"}], "reward_model": {"ground_truth": "4"}}],
    "math": [{"problem": "Half?", "solution": "It is $\\boxed{\\frac{1}{2}}$.", "level": "Level 1", "type": "Algebra"}],
}


def without_file(questions: list[Question]) -> list[Question]:
    """What is not of the file's name: it gives a row without a task one, and a made id begins with it."""
    return [replace(one, where="", task="", id="") for one in questions]


@pytest.mark.parametrize("name", FILES)
def test_rows_are_read_as_their_file(name: str, tmp_path: Path) -> None:
    rows = FILES[name]
    file = tmp_path / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = without_file(load_questions(file))
    data_set = datasets.Dataset.from_list(rows)
    given = {
        "a list": rows, "a tuple": tuple(rows), "a generator": (row for row in rows), "a frame": pd.DataFrame(rows),
        "a data set": data_set, "a streamed one": data_set.to_iterable_dataset(),
        "NumPy's": data_set.with_format("numpy"), "a frame of one": data_set.to_pandas(),
        "Arrow's": pa.Table.from_pylist(rows),
    }  # fmt: skip
    for kind, data in given.items():
        found = load_questions(data)
        assert without_file(found) == expected, kind
        assert [one.where for one in found] == [f"row {number}" for number in range(1, len(rows) + 1)], kind


def test_a_polars_frame_is_read_as_its_file() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    assert load_questions(polars.DataFrame(NUMBERS)) == load_questions(NUMBERS)


def test_values_of_numpy_and_torch_are_those_of_a_file() -> None:
    rows = [
        {"question": np.str_("a?"), "answer": np.int64(4), "id": np.int32(1)},
        {"question": "b?", "answer": torch.tensor(5), "id": 2},
        {"question": "c?", "answer": np.array([6, 7]), "id": 3},
        {"question": "d?", "answer": (np.float32(8.0), 9), "id": 4},
    ]
    found = load_questions(rows)
    assert [(one.id, one.answer, one.accepted) for one in found] == [
        ("1", "4", ()), ("2", "5", ()), ("3", "6", ("7",)), ("4", "8", ("9",)),
    ]  # fmt: skip


def test_what_a_frame_lacks_is_missing_as_in_a_file() -> None:
    frame = pd.DataFrame([{"id": 1, "question": "a?", "answer": 4, "level": "easy"}, {"question": "b?", "answer": 5}])
    found = load_questions(frame)
    assert [(one.id[:8], one.answer, one.level) for one in found] == [("1", "4", "easy"), ("question", "5", "")]
    frame.loc[1, "answer"] = None
    for lacking in (frame, frame.convert_dtypes()):
        with pytest.raises(AurifyError, match=r"^row 2: .*null"):
            load_questions(lacking)
    twice = pd.DataFrame([["a?", 4, 5]], columns=["question", "answer", "answer"])
    with pytest.raises(UsageError, match="the column 'answer' occurs twice"):
        load_questions(twice)


def test_settings_of_reading_apply_to_rows() -> None:
    rows = [{"q": {"text": "2+2?"}, "a": "4", "answer": "no"}, {"q": {"text": "2+3?"}}]
    found = load_questions(rows, question_field="q.text", answer_field="a", answers="text", skip_bad=True)
    assert [(one.text, one.answer, one.answer_type) for one in found] == [("2+2?", "4", "text")]
    assert (found.inferred, [where for where, _ in found.skipped]) == (False, ["row 2"])
    code = load_questions(NUMBERS, answers="operator:eq")
    assert {one.answer_type for one in code} == {"operator:eq"}


def test_a_bad_row_is_named_by_its_number_and_bad_rows_are_in_their_order() -> None:
    rows = [*NUMBERS, {"question": "x"}, *({"question": f"{i}?", "answer": i} for i in range(6)), 5]
    with pytest.raises(AurifyError, match=r"^row 5: no answer") as error:
        load_questions(rows)
    assert "\n" not in str(error.value)
    assert [where for where, _ in load_questions(rows, skip_bad=True).skipped] == ["row 5", "row 12"]
    with pytest.raises(AurifyError, match=r"^row 2: the id '1' occurs at row 1 already"):
        load_questions([{"id": 1, "question": "a", "answer": 1}, {"id": 1, "question": "b", "answer": 2}])
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(AurifyError, match=r"^row 1: nested too deeply"):
        load_questions([{"question": "a", "answer": deep}])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "found None"),
        (5, "found a value of type int"),
        (b"questions.jsonl", "found a value of type bytes"),
        ({"question": ["a"], "answer": ["1"]}, "found one dict of 'question', 'answer': expected rows"),
        (datasets.DatasetDict({"train": datasets.Dataset.from_list(NUMBERS)}), "found one DatasetDict of 'train'"),
        ([None, NUMBERS[0]], "holds None"),
        (["a.jsonl", NUMBERS[0]], "holds a value of type dict"),
        ([["2+2?", "4"]], "holds a value of type list"),
        ([Question("a", "a?", "1", "number")], "which have been read"),
    ],
)
def test_what_cannot_be_understood_is_one_line(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=f"^data: .*{said}") as error:
        load_questions(given)
    assert "\n" not in str(error.value)


def test_an_open_file_is_not_taken_for_names(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps(NUMBERS[0]) + "\n")
    with (tmp_path / "q.jsonl").open() as file, pytest.raises(UsageError, match="expected the name of a file"):
        load_questions(file)  # type: ignore[arg-type]
    assert len(load_questions([tmp_path / "q.jsonl", str(tmp_path / "q.jsonl")])) == 2
    assert all_given(iter([tmp_path])) == [tmp_path]


def test_no_rows_are_no_questions() -> None:
    for nothing in ([], pd.DataFrame({"question": [], "answer": []})):
        with pytest.raises(AurifyError, match=r"^\(questions given in Python\): no questions"):
            load_questions(nothing)
