"""A row's question is the one it asks, whatever number it has; its id tells where its text does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.rationales.known_questions import KnownQuestions

XY, UV = "Which is true?\nOptions:\n(A) x\n(B) y", "Which is true?\nOptions:\n(A) u\n(B) v"
TEXTS = {
    "0": "2+2?",
    "1": "3+3?",
    "2": "4 + 4?",
    "3": "3+3?",
    "4": XY,
    "5": UV,
    "6": "Which is  best?\nOptions:\n(A) x",
}
KNOWN = KnownQuestions(Question(name, text, "", "text") for name, text in TEXTS.items())


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("1", "", "1"),
        ("7", "", None),
        ("1", "2+2?", "0"),
        ("7", " 4 +  4?", "2"),
        ("", "2+2?", "0"),
        ("1", "3+3?", "1"),
        ("3", "3+3?", "3"),
        ("2", "Answer this. 4 + 4?", "2"),
        ("7", "Answer this. 4 + 4?", None),
        ("2", "5 + 5?", None),
        ("2", "2", "2"),
        ("", "", None),
    ],
)
def test_the_text_counts_and_the_id_where_the_text_is_nobodys(name: str, text: str, found: str | None) -> None:
    question = KNOWN.find(name, text)
    assert (None if question is None else question.id) == found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("", XY, "4"),
        ("4", UV, "5"),
        ("4", "Which is true?", "4"),
        ("0", "Which is true?", None),
        ("", "Which is true?", None),
        ("0", "Which is best?", "6"),
        ("", "Which is best?\nOptions:\n(A) z", None),
        ("", "2+2?\nOptions:\n(A) 4\n(B) 5", "0"),
        ("0", "2+2?\nOptions:\n(A) 4\n(B) 5", "0"),
    ],
)
def test_options_may_be_left_out_where_they_tell_no_questions_apart(name: str, text: str, found: str | None) -> None:
    question = KNOWN.find(name, text)
    assert (None if question is None else question.id) == found


WORDY = KnownQuestions(
    Question(name, text, "", "text")
    for name, text in {
        "0": "Ann has 3 pears and eats one. How many are left?",
        "1": "What is $\\dfrac{1}{2}+x$?",
    }.items()
)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("0", "Q: Ann has 3 pears and eats one. How many are left? Think step by step.\nA:", "0"),
        ("0", "Ann has 3 pears and eats one.", "0"),
        ("1", "Solve: what is $\\frac{1}{2} + x$", "1"),
        ("0", "Tom buys 7 books for 4 dollars each. How many dollars does he pay?", None),
        ("1", "Ann has 3 pears and eats one. How many were left?", None),
        ("0", "A train leaves at 9. When does it arrive?", None),
    ],
)
def test_an_id_counts_where_a_text_that_is_nobodys_says_the_same(name: str, text: str, found: str | None) -> None:
    question = WORDY.find(name, text)
    assert (None if question is None else question.id) == found


def test_rationales_go_by_the_ids_of_the_questions_that_their_texts_are_of() -> None:
    one = Rationale("0", (), "0", None, None, "", "teacher", "m", 0, 0, 0, "stop", None)
    read = [replace(one, question_id=name, text=name) for name in ("0", "1", "9", "2+2?")]
    texts = {"0": "3+3?", "1": "A train leaves at 9. When does it arrive?", "9": "4 + 4?"}
    known = KnownQuestions(Question(name, TEXTS[name], "", "text") for name in ("0", "1", "2"))
    assert [(one.text, one.question_id) for one in known.renamed(read, texts)] == [
        ("0", "1"), ("1", texts["1"]), ("9", "2"), ("2+2?", "0")
    ]  # fmt: skip
