"""The value of a sum as a text works it out: ``8 × 8``, ``$40 + $24``, ``8 glasses × $5 + 8 glasses × $3``."""

from __future__ import annotations

import re
from fractions import Fraction

_TERMS = re.compile(r"([+-])")
_FACTORS = re.compile(r"([*/])")
_TIMES = re.compile(r"[×·]|\\(?:times|cdot)|(?<=\s)x(?=\s)|(?<=\d)x(?=\d)")
_AMOUNT = re.compile(r"[$€£¥₹]?\s?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s?(?:[A-Za-z]{2,20}\s?)?")
_LONGEST = 100


def value_of_sum(text: str) -> Fraction | None:
    """The exact value of numbers, perhaps with a word behind, joined by + - × ÷; None: it is none, or one number."""
    text = _TIMES.sub("*", text).replace("÷", "/").replace("−", "-").strip()
    terms = _TERMS.split(text)
    if len(text) > _LONGEST or (len(terms) == 1 and not _FACTORS.search(text)):
        return None
    value, sign = Fraction(0), 1
    for i, term in enumerate(terms):
        if i % 2:
            sign = -1 if term == "-" else 1
            continue
        product = _product(_FACTORS.split(term))
        if product is None:
            return None
        value += sign * product
    return value


def _product(parts: list[str]) -> Fraction | None:
    value = Fraction(1)
    for i in range(0, len(parts), 2):
        amount = _AMOUNT.fullmatch(parts[i].strip())
        if not amount:
            return None
        factor = Fraction(amount[1].replace(",", "") + (amount[2] or ""))
        if i and parts[i - 1] == "/":
            if not factor:
                return None
            factor = 1 / factor
        value *= factor
    return value
