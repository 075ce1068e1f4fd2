"""Text answers: equal but for case, spacing and wrapping; brackets keep every character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.reading import Unreadable
from aurify.answers.words import read_words, words_key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Yes", "yes."),
        ("True", "**true**"),
        ("valid ", "Valid"),
        ("'barn damp'", "barn  damp"),
        ("it&t jr", "it&t jr"),
        ("] ] >", "]]>"),
        ("\\text{Tuesday}", "Tuesday"),
        ("café", "cafe\u0301"),
        ("“no”", "No"),
    ],
)
def test_equal(a: str, b: str) -> None:
    assert words_key(a) == words_key(b)


@pytest.mark.parametrize(("a", "b"), [("valid", "invalid"), ("] ] >", "] >"), ("(", ")"), ("a b", "ab"), ("1 2", "12")])
def test_different(a: str, b: str) -> None:
    assert words_key(a) != words_key(b)


@pytest.mark.parametrize(
    "text", ["I do not know.", "Sorry, I can't tell.", "I'm not sure.", "As an AI, I have no view."]
)
def test_a_refusal_is_no_answer(text: str) -> None:
    with pytest.raises(Unreadable):
        read_words(text)


@pytest.mark.parametrize("text", ["I", "Iowa", "do not enter", "no", "not plausible", "sorry state"])
def test_what_only_looks_like_a_refusal_is_an_answer(text: str) -> None:
    assert read_words(text) == text


def test_empty_is_refused() -> None:
    with pytest.raises(Unreadable):
        read_words(" \n ")


@given(st.text())
def test_reading_twice_changes_nothing(text: str) -> None:
    try:
        once = read_words(text)
    except Unreadable:
        return
    assert words_key(once) == words_key(text)
