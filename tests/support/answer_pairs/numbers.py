"""Numbers: grouped, scientific, as fractions, with units, in other scripts."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from answer_pairs.digits import changed

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")


def _grouped(digits: str, mark: str) -> str:
    whole, point, decimals = digits.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups: list[str] = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return sign + mark.join([whole, *groups]) + point + decimals


def number(rng: random.Random, equal: bool) -> tuple[str, str]:
    """A prediction and a gold answer."""
    digits = str(rng.randint(1, 10 ** rng.randint(1, 12)))
    if rng.random() < 0.4:
        digits += f".{rng.randint(0, 999):03d}"
    digits = ("-" if rng.random() < 0.2 else "") + digits
    gold = rng.choice((digits, digits, _grouped(digits, ","), f"{digits} apples"))
    value = digits if equal else changed(rng, digits)
    return rng.choice(_NUMBERS)(value), gold


def _scientific(digits: str, power: Callable[[int], str]) -> str:
    sign, plain = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, decimals = plain.partition(".")
    return f"{sign}{whole[0]}.{whole[1:]}{decimals or '0'} {power(len(whole) - 1)}"


def _fraction(digits: str) -> str:
    value = Fraction(digits)
    return f"{value.numerator}/{value.denominator}"


def _latex_fraction(digits: str) -> str:
    value = Fraction(digits)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


_NUMBERS: list[Callable[[str], str]] = [
    lambda d: d,
    lambda d: _grouped(d, ","),
    lambda d: _grouped(d, "\u202f"),
    lambda d: _grouped(d, " "),
    lambda d: _grouped(d, "{,}"),
    lambda d: _grouped(d, ",\\!"),
    lambda d: f"**{d}**",
    lambda d: f"${d}$",
    lambda d: f"x = {d}",
    lambda d: d + ("0" if "." in d else ".0"),
    lambda d: d.replace("-", "−"),
    lambda d: d.translate(_WIDE),
    lambda d: f"{d} apples",
    lambda d: f"{d}\\text{{ cm}}",
    lambda d: f"({d})",
    lambda d: f"{d} km/h",
    _fraction,
    _latex_fraction,
    lambda d: _scientific(d, lambda k: f"\\times 10^{{{k}}}"),
    lambda d: _scientific(d, lambda k: "× 10" + str(k).translate(_RAISED)),
    lambda d: f"\\text{{{d}}}",
    lambda d: f"{d.replace('-', '-$')} dollars" if d.startswith("-") else f"${d}",
]
