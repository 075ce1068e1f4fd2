"""What stands before a question, and what is said of it where it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurify.questions import LoadedQuestions, read_questions

HOTPOT = {"title": ["Ed Wood", "Scott"], "sentences": [["Ed Wood is a film.", "It is of 1994."], ["Scott directs."]]}
READ = "Ed Wood\nEd Wood is a film.\nIt is of 1994.\n\nScott\nScott directs."


def load(folder: Path, *rows: dict[str, Any], **options: Any) -> LoadedQuestions:
    (folder / "f.jsonl").write_text(
        "".join(json.dumps({"question": "Who?", "answer": "Ed", **row}) + "\n" for row in rows)
    )
    return read_questions(folder / "f.jsonl", **options)


@pytest.mark.parametrize(
    ("row", "before"),
    [
        ({"context": "A text."}, "A text."),
        ({"context": HOTPOT}, READ),
        ({"context": json.dumps(HOTPOT)}, READ),
        ({"context": [["Ed Wood", ["Ed Wood is a film.", "It is of 1994."]], ["Scott", ["Scott directs."]]]}, READ),
        ({"context": {"contexts": ["Cells die.", "Leaves too."], "labels": ["A", "B"]}}, "Cells die.\nLeaves too."),
        ({"paragraphs": [{"idx": 0, "title": "T", "paragraph_text": "P."}, {"paragraph_text": "R."}]}, "T\nP.\n\nR."),
        ({"passages": ["One.", "Two."]}, "One.\nTwo."),
        ({"context": None, "passage": "P."}, "P."),
        ({"context": {"rows": 1}, "passage": "P."}, "P."),
        ({"table": "cake | $10\npie | $5", "table_title": "Prices"}, "Prices\ncake | $10\npie | $5"),
        (
            {"pre_text": ["In 2009", "it grew."], "table": [["", "2009"], ["income", "$1"]], "post_text": ["Ends."]},
            "In 2009\nit grew.\n\n| 2009\nincome | $1\n\nEnds.",
        ),
    ],
)
def test_what_is_read_stands_before_the_question(tmp_path: Path, row: dict[str, Any], before: str) -> None:
    (question,) = load(tmp_path, row)
    assert question.text == f"{before}\n\nWho?"


@pytest.mark.parametrize(
    "row",
    [
        {"table": "1-1000181-1", "table_title": "Prices"},
        {"context": ""},
        {"context": []},
        {"facts": ["Ed is Ed."]},
        {"context": "Who?"},
        {"image": "", "images": None},
    ],
)
def test_what_is_none_is_left_out_without_a_word(tmp_path: Path, row: dict[str, Any]) -> None:
    found = load(tmp_path, row)
    assert [one.text for one in found] == ["Who?"]
    assert found.notes == []


def test_what_cannot_be_read_is_said_once_a_file(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"table": {"rows": [[1]]}},
        {"table": {"rows": [[2]]}, "image": "x.png"},
        {"table": None},
    ]
    found = load(tmp_path, *rows)
    assert [one.text for one in found] == ["Who?"] * 3
    (note,) = found.notes
    told = "2 of 3 questions are asked without their 'table', 'image', which cannot be read as text"
    assert note == f"{tmp_path}/f.jsonl: {told}"
    assert load(tmp_path, *rows, question_field="question").notes == [], "the question is the field that was named"


def test_a_problem_holds_its_text_and_not_its_paragraphs(tmp_path: Path) -> None:
    asked = {"question": None, "problem": "Who?"}
    assert [one.text for one in load(tmp_path, {**asked, "context": "A text."})] == ["Who?"]
    assert [one.text for one in load(tmp_path, {**asked, "context": HOTPOT})] == [f"{READ}\n\nWho?"]
