"""What is said of a run after its first step."""

from __future__ import annotations

import pytest

from aurify.questions.given import GIVEN_IN_PYTHON
from aurify.training.first_look import first_look

DOCTOR = "aurify doctor --model M --data D"


def told(**verdicts: int) -> list[str]:
    return first_look(verdicts, limit=64, model="M", data="D")


def test_counts_alone_where_nothing_is_odd() -> None:
    assert told(right=30, wrong=30, truncated=4) == ["first step: 30 of 64 rationales right, 4 truncated, 30 wrong"]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"wrong": 3}, DOCTOR),
        ({"truncated": 3, "wrong": 1}, DOCTOR),
        ({"truncated": 4}, "all are cut at 64 tokens"),
        ({"right": 40, "truncated": 16, "wrong": 8}, "cut at 64 tokens"),
        ({"right": 40, "unparsable": 16, "wrong": 8}, DOCTOR),
        ({"right": 58, "wrong": 6}, "harder questions"),
    ],
)
def test_advice_where_something_is(verdicts: dict[str, int], said: str) -> None:
    _, advice = told(**verdicts)
    assert said in advice


@pytest.mark.parametrize(
    "verdicts",
    [{"right": 41, "truncated": 15, "wrong": 8}, {"right": 57, "wrong": 7}, {"right": 2, "truncated": 13}],
)
def test_no_advice_just_below(verdicts: dict[str, int]) -> None:
    assert len(told(**verdicts)) == 1


def test_nothing_of_methods_that_draw_nothing() -> None:
    assert told() == []


def test_questions_that_are_in_no_file_and_paths_with_spaces() -> None:
    _, advice = first_look({"wrong": 3}, limit=64, model="my model", data=GIVEN_IN_PYTHON)
    assert advice.endswith("aurify doctor --model 'my model' --data FILE, with a file of these questions")
