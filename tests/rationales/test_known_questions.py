"""A row's question is the one it asks, whatever number it has; its id tells where its text does not."""

from __future__ import annotations

import pytest

from aurify.questions import Question
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
