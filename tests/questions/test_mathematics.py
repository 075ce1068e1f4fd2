from __future__ import annotations

import time

import pytest

from aurify.questions.mathematics import reads_as_mathematics

MATHEMATICS = [
    *("-x^3 + 3x", "x + 3", "x+1", "5n+10", "-i", "-8 + 2i", "a + b + c + 3x", "f(4 - x)", "n(n+1)/2", "2ab + c"),
    *("(2,8)", "(1,2]", "[12,28]", "(-∞, 5)", "(-oo, 2)", "(1,1), (1,-2)", "-3,1,5", r"-1, \; -5", "2 or 3"),
    *("y=10x-4", "x = 3, y = 4", "2 < x < 5", "x ≥ 2", "1103_6", "10^5", "1:4", "3 : 4", "sin(x) + 1", "4√2"),
    *("1, 2 and 3", "sqrt(2)", "x²", "3π", "2i", "±2", "50%, 20%", "{1,2}", "ln 2", "[1, 2, 3]"),
]  # fmt: skip
OTHERWISE = [
    *("no solution", "7 Up", "5 PM", "10am, 11am", "Apollo 13", "seven", "12 May 1945", "May 5, 1990", "Yes, 5"),
    *("5:45", "12:30:15", "2019-05-01", "1/2/2020", "3-2", "10-12", "1-800-555-0199", "(555) 123-4567", "1_000_000"),
    *("A+", "B-", "C++", "B-52", "F-16", "A4", "H2O", "CO2", "B12", "AC/DC", "3rd, 4th", "3 × 4", "3 x 4", "2*3"),
    *("a", "N", "A, B", "(A)", "(a, b)", "A and B", "(A) 12", "a) 5", "No. 5", "3 p.m.", "p. 3", "snake_case_2"),
    *("x-ray", "12!", "0x1F", "", "-", "?", "] ] >", "{ }", "12 13", "a b c", "5 or more", "none, 2", "5 to 6"),
    *("T-shirt", r"C:\Users"),
]  # fmt: skip


@pytest.mark.parametrize("answer", MATHEMATICS)
def test_mathematics_in_plain_signs(answer: str) -> None:
    assert reads_as_mathematics(answer)


@pytest.mark.parametrize("answer", OTHERWISE)
def test_names_dates_scores_and_codes_are_none(answer: str) -> None:
    assert not reads_as_mathematics(answer)


def test_reading_is_linear_in_hostile_text() -> None:
    began = time.monotonic()
    for text in ("1," * 100_000, "(" * 100_000, "a " * 100_000, "1:" * 100_000, "1-" * 100_000, "\\;" * 100_000):
        reads_as_mathematics(text)
    assert time.monotonic() - began < 2
