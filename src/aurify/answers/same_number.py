"""Whether two numbers are the same one, exactly or by what the gold answer was rounded to."""

from __future__ import annotations

from fractions import Fraction

from aurify.answers.number import Number
from aurify.answers.units import units_differ

LONG_TAIL = 6
"""A gold answer with this many decimals was computed, and its last digit cut off or rounded."""
DOUBLE = 15
"""Significant digits that a computer's double holds of a fraction such as 2/3."""


def same_number(pred: Number, gold: Number) -> str | None:
    """Why the prediction is the gold number, or None where it is not.

    Values are compared exactly. Where the gold answer was itself rounded, a prediction with more digits (or a
    fraction) may be what it was rounded from: ``2/3`` for ``0.67``, but neither ``0.7`` for ``0.67`` nor ``3.1`` for
    ``3.14159``. Where the gold answer is a fraction that has no end of decimals, all the digits of a double are enough.
    A percentage is both 40 and 0.4. Two units of measure have to be the same.
    """
    ours, theirs = ("%" if number.percent else number.unit for number in (pred, gold))
    if units_differ(ours, theirs) or pred.factor != gold.factor:
        return None
    for x in pred.meanings():
        for y in gold.meanings():
            if x.value == y.value:
                return "the same number"
    pred = _as_percent(pred) if gold.percent else pred if not pred.percent else pred.meanings()[1]
    if _rounded_from(pred, gold):
        return f"the gold answer, rounded to its {gold.decimals} decimals"
    if _all_of_a_double(pred, gold):
        return f"the gold answer to {pred.decimals} decimals, all that a double holds"
    return None


def _as_percent(number: Number) -> Number:
    if number.percent:
        return number
    return Number(number.value * 100, None if number.decimals is None else max(0, number.decimals - 2), True)


def _rounded_from(pred: Number, gold: Number) -> bool:
    """Whether the gold answer is the rounding (from ``LONG_TAIL`` decimals on, also the cutting off) of a finer one.

    A gold answer that is whole (``100.0``) was not rounded. A fraction is finer than any decimals, and so are decimals
    that are two more than the gold answer's two or more, or ``LONG_TAIL``.
    """
    if not gold.decimals or (gold.value.denominator == 1 and gold.decimals < LONG_TAIL):
        return False
    digits = abs(gold.value) * 10**gold.decimals
    enough = max(LONG_TAIL, gold.decimals + 1)
    if gold.decimals > 1 and digits % 10:
        enough = min(enough, gold.decimals + 2)
    computed = pred.value.denominator > 1 if pred.decimals is None else pred.decimals >= enough
    return computed and digits >= 10 and _written(pred.value, gold, cut=gold.decimals >= LONG_TAIL)


def _all_of_a_double(pred: Number, gold: Number) -> bool:
    if gold.decimals is not None or not pred.decimals or pred.decimals > 40:
        return False
    digits = len(str(abs(int(pred.value * 10**pred.decimals))))
    endless = 10**pred.decimals % gold.value.denominator != 0
    return digits >= DOUBLE and endless and _written(gold.value, pred, cut=True)


def _written(value: Fraction, decimals: Number, *, cut: bool) -> bool:
    """Whether these decimals are what the value is rounded to, or, with ``cut``, cut off to."""
    scale = 10 ** (decimals.decimals or 0)
    beyond = (value - decimals.value) * scale
    toward_zero = 0 <= (beyond if value > 0 else -beyond) < 1
    binary = abs(decimals.value) * scale >= 10**DOUBLE and abs(beyond) < 1  # which rounds the 16th digit as it may
    return abs(beyond) * 2 <= 1 or (cut and (toward_zero or binary))
