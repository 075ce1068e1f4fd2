"""Numbers as people and models write them, read exactly, without ``eval`` and in bounded time.

Read: ``1,450``, ``$9.43``, ``-$5``, ``−3``, ``8 apples``, ``9 (apples)``, ``6th``, ``40%``, ``3/4``, ``2 1/2``,
``\\frac{3}{4}``, ``-(1/3)``, ``3.0``, ``1.5e3``, ``3 \\times 10^5``, ``x = 8``, digits of any script.
Refused, because any guess would make spurious right answers: two numbers (``8 or 9``), ``1,45`` (no thousands comma),
clock times and ratios (``5:45``), a number with an operator beside it (``10^10``, ``5!``), number words, nan and inf.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from aurify.answers.reading import Unreadable

MAX_NUMBER = 400
"""The longest text that is read as a number, in characters."""
RELATIVE_TOLERANCE = Fraction(1, 1_000_000)
"""Two numbers this close are equal, unless both are whole: float noise such as ``0.6666666666666666`` and ``2/3``."""
LONG_TAIL = 6
"""A number with so many decimals was computed and not stated: the other may be its rounding."""

_CURRENCY = "$€£¥₹"
_PLAIN = str.maketrans({"−": "-", "–": "-", "\u2010": "-", "\u2011": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_POWER_OF_TEN = re.compile(r"(?<=\d)\s*(?:\\times|\\cdot|×|x|\*)\s*10\s*(?:\^|\*\*)\s*\{?([+-]?\d{1,3})\}?(?!\d)")
_FRAC = re.compile(r"\\[dtc]?frac\s*(?:\{\s*([+-]?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))")
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textnormal|textbf|mathbf)\s*\{([^{}]*)\}")
_NUMBER = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)?(?P<decimals>\.\d+)?"
    r"(?:[eE](?P<exponent>[+-]?\d{1,3})(?![\d.]))?(?:\s*/\s*(?P<under>\d+)(?![\d.,]*\d))?"
)
_MIXED = re.compile(r"\s+(\d+)\s*/\s*(\d+)(?!\.?\d)")
_ANOTHER = re.compile(r"(?<![A-Za-z^\d])\d")
_OPERATORS = set("^*/+!:=<>×÷_²³¹⁰⁴⁵⁶⁷⁸⁹√")


@dataclass(frozen=True)
class Number:
    """An exact value, with the decimals it was stated with (None: a fraction or a power of ten, which is exact)."""

    value: Fraction
    decimals: int | None = 0
    percent: bool = False

    def __str__(self) -> str:
        sign, value = ("-", -self.value) if self.value < 0 else ("", self.value)
        if self.decimals is None:
            text = str(value)
        else:
            digits = str(int(value * 10**self.decimals)).rjust(self.decimals + 1, "0")
            text = f"{digits[: len(digits) - self.decimals]}.{digits[len(digits) - self.decimals :]}".rstrip(".")
        return sign + text + ("%" if self.percent else "")


def read_number(text: str, *, words: bool = True) -> Number:
    """The one number that the text states; ``words`` allows others around it (``a total of 8 apples``).

    Raises:
        Unreadable: there is none, or more than one, or it is too long or ambiguous.
    """
    if len(text) > MAX_NUMBER:
        raise Unreadable(f"longer than {MAX_NUMBER} characters, which no number needs")
    text = _POWER_OF_TEN.sub(r"e\1", _plain(text)).rpartition("=")[2].strip()
    start = next((i for i, c in enumerate(text) if c.isdecimal()), -1)
    if start < 0:
        raise Unreadable("no number")
    if start and text[start - 1] == ".":
        start -= 1
    if start and (text[start - 1].isalnum() or text[start - 1] in "_^"):
        raise Unreadable("a digit inside a word")
    match = _NUMBER.match(text, start)
    if match is None or not (match["whole"] or match["decimals"]):
        raise Unreadable("no number")
    sign, before = _sign(text[:start])
    end = match.end()
    value, decimals = _value(match)
    mixed = _MIXED.match(text, end)
    if mixed and decimals == 0:
        value, decimals, end = value + _ratio(mixed[1], mixed[2]), None, mixed.end()
    percent, after = _after(text[end:])
    if not words and (before or after):
        raise Unreadable("more than a number")
    _refuse_operators(before, after)
    return Number(sign * value, decimals, percent)


def same_number(a: Number, b: Number) -> str | None:
    """Why the two are the same number, or None where they are not. Symmetric.

    Whole numbers are where they are equal. Others are where they differ by at most a millionth of the larger, or where
    one has a long tail of decimals (or is a fraction) and the other, with two significant digits or more, is its
    rounding: ``0.67`` and ``0.6666666666666666``. A percentage is both 40 and 0.4.
    """
    for x in _meanings(a):
        for y in _meanings(b):
            whole = x.value.denominator == y.value.denominator == 1
            noise = 0 if whole else RELATIVE_TOLERANCE * max(abs(x.value), abs(y.value))
            if abs(x.value - y.value) <= noise:
                return "the same number"
    for exact, short in ((a, b), (b, a)):
        if _rounds_to(exact, short):
            return f"the same number, rounded to {short.decimals} decimals"
    return None


def _meanings(number: Number) -> list[Number]:
    return [number, Number(number.value / 100, None)] if number.percent else [number]


def _rounds_to(exact: Number, short: Number) -> bool:
    if not short.decimals or short.decimals >= LONG_TAIL or exact.percent != short.percent:
        return False
    computed = exact.value.denominator > 1 if exact.decimals is None else exact.decimals >= LONG_TAIL
    two_digits = abs(short.value) * 10**short.decimals >= 10
    return computed and two_digits and abs(exact.value - short.value) * 2 * 10**short.decimals <= 1


def _plain(text: str) -> str:
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.translate(_PLAIN))
    for old, new in (("\\$", "$"), ("\\%", "%"), ("\\!", ""), ("{,}", ","), ("\\,", " "), ("\\ ", " "), ("~", " ")):
        text = text.replace(old, new)
    for mark in ("\\left", "\\right", "\\(", "\\)", "\\[", "\\]"):
        text = text.replace(mark, "")
    text = _TEXT.sub(r" \1", text).strip("*`$ \t\r\n")
    return _FRAC.sub(lambda m: f" {m[1] or m[2]}/{m[3] or m[4]}", text).strip().rstrip(".$").strip()


def _sign(before: str) -> tuple[int, str]:
    sign = 1
    while before and (before[-1].isspace() or before[-1] in _CURRENCY + "(-+"):
        if before[-1] == "-":
            if sign < 0:
                raise Unreadable("more than one sign")
            sign = -1
        before = before[:-1]
    word = before.rstrip().rpartition(" ")[2].lower()
    if word in ("minus", "negative"):
        return -sign, before[: -len(word)].strip()
    return sign, before.strip()


def _value(match: re.Match[str]) -> tuple[Fraction, int | None]:
    whole, decimals, exponent, under = match["whole"] or "0", match["decimals"] or "", match["exponent"], match["under"]
    if whole.startswith("0,"):
        raise Unreadable("a comma after a leading zero marks no thousands")
    value = Fraction(whole.replace(",", "") + decimals + (f"e{exponent}" if exponent else ""))
    if under is not None:
        return value * _ratio("1", under), None
    return value, None if exponent else max(0, len(decimals) - 1)


def _ratio(over: str, under: str) -> Fraction:
    if int(under) == 0:
        raise Unreadable("a fraction over zero")
    return Fraction(int(over), int(under))


def _after(after: str) -> tuple[bool, str]:
    """Whether a percent sign follows, and what else does, without closing brackets and marks."""
    rest = after.strip().lstrip(")").lstrip()
    for mark in ("%", "percent", "per cent"):
        if rest.lower().startswith(mark):
            return True, rest[len(mark) :].strip()
    return False, "" if rest in ("$", "€", "£", ",", ";", "^\\circ", "^{\\circ}", "°") else after.strip(" )")


def _refuse_operators(before: str, after: str) -> None:
    if re.match(r",\s*\d", after) and not after.startswith(", "):
        raise Unreadable("a comma that marks no thousands")
    if re.match(r"[eE][+-]?\d", after):
        raise Unreadable("an exponent of more than three digits")
    if _ANOTHER.search(after):
        raise Unreadable("more than one number")
    if after and after[0] in _OPERATORS and not after.startswith(("^\\circ", "^{\\circ}")):
        raise Unreadable(f"an expression, not a number: {after[0]!r} follows")
    if before and before[-1] in _OPERATORS | {"\\", "{", "|"} and before[-1] != ":":
        raise Unreadable(f"an expression, not a number: {before[-1]!r} stands before it")
    if re.search(r"\bnot\b|n't\b", before, re.IGNORECASE):
        raise Unreadable("says what the answer is not")
