from __future__ import annotations

from typing import Any

import pytest

from aurify.questions.acceptable import acceptable, no_answer
from aurify.questions.rows import RowError


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("Rhine", ("Rhine",)),
        (4.5, ("4.5",)),
        (["Rhine", "the Rhine", "Rhine"], ("Rhine", "the Rhine")),
        ([["4.5", "9/2"]], ("4.5", "9/2")),
        ({"value": "Rhine", "aliases": ["the Rhine", "Rhein"]}, ("Rhine", "the Rhine", "Rhein")),
        ({"text": ["Rhine", "the Rhine"], "answer_start": [3, 9]}, ("Rhine", "the Rhine")),
        ('{"value": "Rhine", "aliases": []}', ("Rhine",)),
        ('["Rhine", "Rhein"]', ("Rhine", "Rhein")),
        ("[1, 2]", ("[1, 2]",)),
        ({"target": ["12", 12]}, ("12",)),
        (True, ("True", "yes")),
        (False, ("False", "no")),
        ([False], ("False", "no")),
        ({"answer": True}, ("True", "yes")),
        ("True", ("True",)),
        ("no", ("no",)),
        (1, ("1",)),
    ],
)
def test_the_forms_of_several_answers(value: Any, answers: tuple[str, ...]) -> None:
    assert acceptable(value, "answer") == answers


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "holds no answer"),
        ({}, "is an object of nothing"),
        ({"inputs": "1", "outputs": "2"}, "is an object of 'inputs', 'outputs': expected an answer in it"),
        ('{"tests": ["assert f(1) == 2"]}', "is an object of 'tests'"),
        ([{"a": 1}], "holds an object among its answers"),
        (["x", None], "'answer' is null"),
        (["x", "N/A"], "no answer that can be checked"),
        (b"x", "a value of type bytes"),
    ],
)
def test_what_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        acceptable(value, "answer")


@pytest.mark.parametrize(
    "text",
    [
        "proof", "Proof.", "notfound", "N/A", "n/a", "NaN", "null", "see solution", r"\text{proof}", "$N/A$", "QED",
        "Answers may vary.", "answers vary", "…", "...",
    ],
)  # fmt: skip
def test_no_answer(text: str) -> None:
    assert no_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "80 proof",
        "none",
        "None of them",
        "no solution",
        "unknown",
        "0",
        "-1",
        "-",
        "?",
        "NA",
        "no",
        "]",
        "> )",
        "",
        "undefined",
    ],
)
def test_answers_that_look_like_none(text: str) -> None:
    assert not no_answer(text)
