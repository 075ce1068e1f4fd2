"""Numbers: every written form is read exactly, and what is ambiguous is refused."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.number import Number, read_number
from aurify.answers.reading import Unreadable
from aurify.answers.same_number import same_number


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1,450", "1450"),
        ("$9.43", "9.43"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("−3", "-3"),
        ("+ 4", "4"),
        ("Total: + 4", "4"),
        ("he gained +4 points", "4"),
        ("x is - 4", "-4"),
        ("Answer - 4", "-4"),
        ("a change of minus 4", "-4"),
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
        ("1 234 567", "1234567"),
        ("1\u202f250", "1250"),
        ("1\u2009250", "1250"),
        ("1'250", "1250"),
        ("½", "1/2"),
        ("⅓", "1/3"),
        ("2½", "5/2"),
        ("2 ½", "5/2"),
        ("7 and a half", "15/2"),
        ("－3", "-3"),
        ("⁻3", "-3"),
        ("10²", "100"),
        ("6.02 × 10²³", "602" + "0" * 21),
        ("1.5 × 10⁻⁴", "3/20000"),
        ("3.0×10⁸ m/s", "300000000"),
        ("3 million", "3000000"),
        ("4 thousand dollars", "4000"),
        ("$2.5 billion", "2500000000"),
        ("$5k", "5000"),
        ("7 dozen", "84"),
        ("36\\,\\mathrm{cm}^{2}", "36"),
        ("Rs. 20", "20"),
        ("€12.50", "12.50"),
        ("90 minutes (1.5 hours)", "90"),
        ("5 a day", "5"),
        ("8 in all", "8"),
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
        "5:45",
        "12/25/1937",
        "10^10^10",
        "12^10",
        "10**10**10",
        "5!",
        "9!!!!",
        "H2O",
        "1/0",
        "--5",
        "8-10",
        "5 - 3",
        "not 8",
        "9" * 401,
        "\\sqrt{2}",
        "4\\pi + 1",
        "5 x 3",
        "5xy",
        "2y = 10",
        "x + 3 = 10",
        "x + 4",
        "x+4",
        "n + 4 beads",
        "y = x - 4",
        "$x + $4",
        "the total + 4",
        "Emily+4",
        "(a) + 4",
        "x plus 4",
        "\\text{x} + 4",
        "5 or maybe six",
        "5 is wrong, it should be six",
        "5 twelfths",
        "2 3",
        "12 34",
        "5 cats (or 6)",
        "5 cats (3 + 2 big ones)",
        "twice 8",
        "x = 5, y = 6",
        "I do not know, 8 perhaps",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(Unreadable):
        read_number(text)


@pytest.mark.parametrize(
    ("pred", "gold"),
    [
        ("3.0", "3"),
        ("9.43", "9.430"),
        ("40%", "40"),
        ("40%", "0.4"),
        ("0.4", "40%"),
        ("0.6666666666666666", "0.67"),  # the gold answer was rounded, by its own digits
        ("2/3", "0.67"),
        ("1/6", "0.17"),
        ("14.222222", "14.2"),
        ("66.6667", "66.67"),
        ("3.14159", "3.14"),
        ("2/3", "66.67%"),
        ("2/3", "0.6666666666666666"),
        ("5/6", "0.8333333333333334"),
        ("9000000.00000001", "9000000.0000000"),
        ("0.6666666666666666", "2/3"),  # all the digits that a double has
        ("10 cm", "10"),
        ("10", "10 cm^2"),
        ("10 centimeters", "10 cm"),
        ("10 square feet", "10\\text{ ft}^2"),
        ("60 km/h", "60 kilometers per hour"),
        ("$15", "15 dollars per hour"),
        ("4\\pi", "4π"),
        ("12 pupils", "12 children"),
    ],
)
def test_same(pred: str, gold: str) -> None:
    assert same_number(read_number(pred), read_number(gold))


@pytest.mark.parametrize(
    ("pred", "gold"),
    [
        ("8", "9"),
        ("0.7", "0.6666666"),
        ("0.0454545", "0.05"),  # one digit is no rounding
        ("1.333", "1.33"),
        ("2.5042", "2.50"),  # money
        ("99.99999999", "100.0"),
        ("9,000,000", "9,000,001"),
        ("0.67", "0.6666666666666666"),  # coarser than what was asked for
        ("3.1", "3.14159265"),
        ("14.2", "14.222222"),
        ("0.17", "1/6"),
        ("0.333333", "1/3"),
        ("0.6666666666666667", "0.6666666666666666"),  # a digit changed
        ("9000000", "8999999.9999999"),
        ("99.9999", "100"),
        ("1000000.1", "1000000"),
        ("10000500", "20001001/2"),
        ("1", "1048575/1048576"),
        ("1/2598960", "1/2598961"),
        ("$1,250,000", "$1,250,000.75"),
        ("2", "2½"),
        ("3", "－3"),
        ("5", "5 hundred"),
        ("7", "7 dozen"),
        ("4\\pi", "4"),
        ("4i", "4"),
        ("5k", "5"),
        ("5x", "5"),
        ("5x", "5y"),
        ("10 cm", "10 m"),
        ("10 cm", "10 cm^2"),
        ("$5", "5 cents"),
        ("€5", "$5"),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_different(pred: str, gold: str, sign: str) -> None:
    if pred[0] not in "$€" and gold[0] != "－":
        pred, gold = sign + pred, sign + gold
        assert same_number(read_number(pred), read_number(pred[len(sign) :])) is None or not sign
    assert same_number(read_number(pred), read_number(gold)) is None


def test_the_reason_says_that_the_gold_answer_was_rounded() -> None:
    assert same_number(read_number("2/3"), read_number("0.67")) == "the gold answer, rounded to its 2 decimals"


def test_a_long_exponent_is_bounded() -> None:
    assert read_number("1e99").value == 10**99
    with pytest.raises(Unreadable):
        read_number("1e9999999999")


numbers = st.builds(Number, st.fractions(max_denominator=10**6), st.none(), st.booleans()) | st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
).map(lambda d: Number(Fraction(d), 3))


@given(numbers, numbers)
def test_a_number_is_the_same_as_itself_and_exactly_as_its_equals(a: Number, b: Number) -> None:
    assert same_number(a, a)
    if not a.decimals and not b.decimals:  # nothing was rounded
        assert bool(same_number(a, b)) == bool(same_number(b, a))


@given(numbers)
def test_the_canonical_form_reads_back(number: Number) -> None:
    again = read_number(str(number))
    assert (again.value, again.percent) == (number.value, number.percent)


@pytest.mark.parametrize(
    "text", ["$9.43", "-$5", "10 cm^2", "60 km/h", "3 m/s", "5 cents", "4\\pi", "5x", "45 degrees", "40%"]
)
def test_the_shown_form_reads_back(text: str) -> None:
    number = read_number(text)
    assert same_number(read_number(number.with_unit()), number) == "the same number"
    assert read_number(number.with_unit()).with_unit() == number.with_unit()


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
