"""Choices: letters in every dress, and options named by their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.choice import read_choice, same_choice
from aurify.answers.options import options
from aurify.answers.reading import Unreadable

DATES = "Tomorrow?\nOptions:\n(A) 12/11/1937\n(B) 12/25/1937\n(C) A dog, & cat"


@pytest.mark.parametrize(
    "text",
    [
        "(B)",
        "B",
        "b",
        "B.",
        "b)",
        "[B]",
        "**(B)**",
        "option B",
        "\\text{(B)}",
        "(B) 12/25/1937",
        "B: 12/25/1937",
        "12/25/1937",
        "'12/25/1937'.",
        "(B), because (A) is too early",
        "B because it is Christmas",
        "B is correct",
        "(B) 12/25/1937, not (A)",
        "option (B)!",
    ],
)
def test_reads(text: str) -> None:
    assert read_choice(text, options(DATES)) == "(B)"


def test_an_article_is_no_letter() -> None:
    assert read_choice("a dog, & cat", options(DATES)) == "(C)"
    with pytest.raises(Unreadable):
        read_choice("A cat", options(DATES))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(A) or (B)",
        "A and B",
        "A, B",
        "(A), (B)",
        "(A) + (B)",
        "(A) is not correct; (B) is",
        "A is wrong",
        "A, or maybe B",
        "(A) (B)",
        "A?",
        "(A) 12/25/1937",
        "A (12/25/1937)",
        "(Z)",
        "neither",
        "12/26/1937",
        "I do not know.",
        "Any date but A",
        "(" * 5000,
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(Unreadable):
        read_choice(text, options(DATES))


def test_an_option_text_that_stands_twice_names_neither() -> None:
    with pytest.raises(Unreadable):
        read_choice("rita", {"A": "rita", "C": "rita"})


def test_without_options_a_text_stands_for_itself() -> None:
    assert same_choice(read_choice("Monsters, Inc"), read_choice("monsters, inc."))


@given(st.text(), st.text())
def test_symmetric(a: str, b: str) -> None:
    assert same_choice(a, b) == same_choice(b, a)
    assert same_choice(a, a)
