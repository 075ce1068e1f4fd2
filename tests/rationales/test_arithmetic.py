"""What is checked of a rationale's arithmetic, and what is left alone."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurify.rationales.arithmetic import (
    Arithmetic,
    before_first_false,
    check_arithmetic,
    equations,
    value_of_arithmetic,
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2+3*4", 14),
        ("(2+3) \\cdot 4", 20),
        ("2^{10}", 1024),
        ("2^3^2", None),
        ("-2^2", -4),
        ("\\frac{1}{3} \\cdot 9", 3),
        ("\\frac12", 0.5),
        ("\\dfrac{3}{4}", 0.75),
        ("2\\sqrt{9}", 6),
        ("\\frac{32}{3}\\pi", 32 / 3 * math.pi),
        ("5!", 120),
        ("\\binom{5}{2}", 10),
        ("1,450 - 50", 1400),
        ("11{,}111", 11111),
        ("\\left(3 \\times 4\\right) \\div 6", 2),
        ("\\boxed{6}", 6),
        ("1\\frac12", None),  # a mixed number or a product
        ("30^\\circ", None),
        ("x+1", None),
        ("204_5", None),
        ("1/0", None),
        ("10^{99999}", None),
        ("999!", None),
        ("(2", None),
        ("2 3", None),
        ("", None),
        ("1+" * 200 + "1", None),
    ],
)
def test_evaluate(expression: str, value: float | None) -> None:
    assert value_of_arithmetic(expression) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("so $12 \\cdot 3 = 36$ and $36 + 1 = 38$.", Arithmetic(2, 1, True)),
        ("He has 3 + 4 = 7 apples, then 7 - 2 = 4.", Arithmetic(2, 1, True)),
        ("\\[2^3 = 8 = 4 \\cdot 2\\] but $1+1=3$; $5=5$", Arithmetic(4, 1, False)),
        ("$x = 2 + 3 = 5$, so $2x = 10$", Arithmetic(1, 0, False)),
        ("$\\frac{10}{3} = 3.33$ and $\\pi = 3.14$", Arithmetic(2, 0, False)),  # rounded
        ("$x = 2y + 3 = 7$ and $5x = 7$", Arithmetic(0, 0, False)),
        ("$5 \\equiv 2 \\pmod 3$ and $3 \\approx 4$ and $2 < 3$", Arithmetic(0, 0, False)),
        ("nothing here", Arithmetic(0, 0, False)),
        ("", Arithmetic(0, 0, False)),
    ],
)
def test_equations_between_numbers(text: str, found: Arithmetic) -> None:
    assert check_arithmetic(text) == found


@pytest.mark.parametrize(
    "text", ["$" + "(" * 50_000, "1=" * 50_000, "$1+1=" * 9000, "\\[" * 9000, "=" * 99_999, "1 " * 50_000]
)
def test_hostile_text_takes_little_time(text: str) -> None:
    begun = time.perf_counter()
    check_arithmetic(text)
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("so $12 \\cdot 3 = 36$ and $36 + 1 = 38$.", "so $12 \\cdot 3 = 36$ and $"),
        ("He has 3 + 4 = 7 apples, then 7 - 2 = 4.", "He has 3 + 4 = 7 apples, then"),
        ("so 2 + 2 = 4 = 5", "so 2 + 2 ="),
        ("They cost $5 + $6 = $11, with tax $11 + $1 = $13.", "They cost $5 + $6 = $11, with tax $"),
        ("\\[ 1+1 = 2 \\\\ 2+2 = 5 \\]: $3+3=7$", "\\[ 1+1 = 2 \\\\"),
        ("a\\[ 3+3=6, \\quad 3+3=7 \\]", "a\\[ 3+3=6, \\quad"),
        ("1 + 1 = 3, and so on", ""),
        ("1 + 1 = 2, $x = 3$", None),
        ("", None),
    ],
)
def test_the_text_before_the_first_false_equation(text: str, before: str | None) -> None:
    assert before_first_false(text) == before


PARTS = ("$", "$$", "\\[", "\\]", "1+1=2", "1 + 1 = 3", " = ", "4", ", ", "\\\\", "so ", "x", "\n\n", ".", "\\frac12")


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_equations_stand_where_they_begin(parts: list[str]) -> None:
    text = "".join(parts)
    for equation in equations(text):
        assert text[equation.start] not in " $="
        assert "=" in text[equation.start :]
