"""Numbers: every written form is read exactly, and what is ambiguous is refused."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.number import Number, read_number, same_number
from aurify.answers.reading import Unreadable


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1,450", "1450"),
        ("$9.43", "9.43"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("−3", "-3"),
        ("8 apples", "8"),
        ("9 (apples)", "9"),
        ("6th", "6"),
        ("40%", "40%"),
        ("3/4", "3/4"),
        ("-(1/3)", "-1/3"),
        ("2 1/2", "5/2"),
        ("\\frac{3}{4}", "3/4"),
        ("-\\frac12", "-1/2"),
        ("3.0", "3.0"),
        (".5", "0.5"),
        ("1.5e3", "1500"),
        ("3 \\times 10^5", "300000"),
        ("x = 8", "8"),
        ("3 + 4 = 7", "7"),
        ("٣٤", "34"),
        ("**8**", "8"),
        ("about 8.", "8"),
        ("5 cm^2", "5"),
        ("440\\text{ cm}^2", "440"),
        ("11,\\!111", "11111"),
        ("\\$18.90", "18.90"),
        ("minus 4", "-4"),
        ("36 (sq. inches)", "36"),
    ],
)
def test_reads(text: str, canonical: str) -> None:
    assert str(read_number(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eight",
        "nan",
        "inf",
        "-inf",
        "8 or 9",
        "1,45",
        "1,450,00",
        "0,450",
        "1 450",
        "5:45",
        "12/25/1937",
        "10^10",
        "10**10**10",
        "5!",
        "9!!!!",
        "10²",
        "½",
        "H2O",
        "1/0",
        "--5",
        "8-10",
        "5 - 3",
        "not 8",
        "9" * 401,
        "\\sqrt{2}",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(Unreadable):
        read_number(text)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("3.0", "3"),
        ("0.6666666666666666", "2/3"),
        ("0.67", "0.6666666666666666"),
        ("0.17", "1/6"),
        ("14.2", "14.222222"),
        ("9.43", "9.430"),
        ("40%", "40"),
        ("40%", "0.4"),
        ("9000000", "8999999.9999999"),
    ],
)
def test_same(a: str, b: str) -> None:
    assert same_number(read_number(a), read_number(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [("8", "9"), ("0.7", "0.6666666"), ("0.05", "0.0454545"), ("1.33", "1.3333"), ("9,000,000", "9,000,001")],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_different(a: str, b: str, sign: str) -> None:
    assert same_number(read_number(sign + a), read_number(sign + b)) is None
    assert same_number(read_number(sign + a), read_number(a)) is None or not sign


def test_a_long_exponent_is_bounded() -> None:
    assert read_number("1e99").value == 10**99
    with pytest.raises(Unreadable):
        read_number("1e9999999999")


numbers = st.builds(Number, st.fractions(max_denominator=10**6), st.none(), st.booleans()) | st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
).map(lambda d: Number(Fraction(d), 3))


@given(numbers, numbers)
def test_same_is_symmetric_and_reflexive(a: Number, b: Number) -> None:
    assert same_number(a, a)
    assert bool(same_number(a, b)) == bool(same_number(b, a))


@given(numbers)
def test_the_canonical_form_reads_back(number: Number) -> None:
    again = read_number(str(number))
    assert (again.value, again.percent) == (number.value, number.percent)


@given(st.integers(-(10**12), 10**12))
def test_thousands_commas(n: int) -> None:
    assert read_number(f"{n:,}").value == n


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6, places=2))
def test_money(amount: Decimal) -> None:
    assert read_number(f"${amount}").value == Fraction(amount)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Unreadable):
        read_number(text)
