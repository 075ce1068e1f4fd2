from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurify.answers import Grader
from aurify.questions import Question, read_questions
from aurify.questions.acceptable import acceptable
from aurify.questions.parts import in_any_order
from aurify.questions.rows import RowError

NO_DATE = {"day": "", "month": "", "year": ""}


@pytest.mark.parametrize(
    ("record", "first"),
    [
        ({"number": "3", "date": NO_DATE, "spans": []}, ("3",)),
        ({"number": "", "date": NO_DATE, "spans": ["Tom", "Bob"]}, ("Tom, Bob", "Bob, Tom")),
        ({"number": "", "date": {"day": "5", "month": "May", "year": "1990"}, "spans": []}, ("5 May 1990",)),
        ({"number": "", "date": {"day": "", "month": "May", "year": "1990"}, "spans": []}, ("May 1990",)),
        ({"spans": ["3"], "types": ["number"]}, ("3",)),
        ({"spans": ["Tom", "Tom"], "types": ["span", "span"]}, ("Tom",)),
        ({"spans": ["Tom", "Tom Brady"], "types": ["span", "span"]}, ("Tom", "Tom Brady")),
        ({"spans": ["3", "4", "3"], "types": ["number", "number", "number"]}, ("3", "4")),
        ({"spans": ["Tom", "Bob", "Bob", "Tom"], "types": ["span"] * 4}, ("Tom, Bob", "Bob, Tom")),
        ('{"spans": ["Tom", "Bob"]}', ("Tom, Bob",)),
        ({"text": ["Tom", "Thomas"], "answer_start": [1, 2]}, ("Tom", "Thomas")),
    ],
)
def test_records_of_answers(record: Any, first: tuple[str, ...]) -> None:
    assert acceptable(record, "answer")[: len(first)] == first


@pytest.mark.parametrize(
    "record", [{"number": "", "date": NO_DATE, "spans": []}, {"spans": []}, {"number": "3", "unit": "km"}]
)
def test_records_without_an_answer_are_refused(record: Any) -> None:
    with pytest.raises(RowError, match="expected an answer in it"):
        acceptable(record, "answer")


def test_all_parts_are_to_be_named_in_any_order() -> None:
    first, *others = in_any_order(["Tom Brady", "Rob Gronkowski", "Joe"], "answer")
    question = Question("q", "Which players?", first, "text", accepted=tuple(others))
    with Grader() as grader:
        for said in ("Joe, Tom Brady, and Rob Gronkowski", "Rob Gronkowski, Joe and Tom Brady", first):
            assert grader.grade(f"The answer is {said}.", question).right
        for said in ("Tom Brady", "Tom Brady and Joe", "Tom Brady, Joe, Rob Gronkowski and Ann", "Tom Brady, Joe, Joe"):
            assert not grader.grade(f"The answer is {said}.", question).right


def test_more_parts_than_can_be_written_out_are_refused() -> None:
    with pytest.raises(RowError, match=r"holds 5 parts of one answer: at most 4 .*--answers module:function"):
        in_any_order(list("abcde"), "answer")
    assert len(in_any_order(list("abcda"), "answer")) == 3 * 24


def test_a_row_may_say_that_its_answers_are_parts_of_one(tmp_path: Path) -> None:
    golds = {"final_answer": ["$1$", "$-2$"]}
    rows = [{"question": f"Q{flag}?", **golds, "is_multiple_answer": flag} for flag in (True, False)]
    rows += [{"question": "Q?", "answer": "\\pi"}]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts, either, _ = read_questions(tmp_path / "f.jsonl")
    with Grader() as grader:
        for said, of_parts in (("-2, 1", True), ("1 and -2", True), ("1", False), ("-2", False)):
            assert grader.grade(f"\\boxed{{{said}}}", parts).right == of_parts
            assert grader.grade(f"\\boxed{{{said}}}", either).right != of_parts
        assert all(grader.grade(one, parts).right for one in (parts.answer, *parts.accepted))
