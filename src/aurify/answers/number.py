"""Numbers as people and models write them, read exactly, without ``eval`` and in bounded time.

Read: ``1,450``, ``1 234 567``, ``$9.43``, ``Rs. 20``, ``-$5``, ``－3``, ``8 apples``, ``9 (apples)``, ``6th``, ``40%``,
``3/4``, ``2 1/2``, ``2½``, ``7 and a half``, ``\\frac{3}{4}``, ``-(1/3)``, ``3.0``, ``1.5e3``, ``3 \\times 10^5``,
``6.02 × 10²³``, ``3 million``, ``7 dozen``, ``x = 8``, ``90 minutes (1.5 hours)``, digits of any script.
Refused, because any guess would make spurious right answers: two numbers (``8 or 9``), ``1,45`` (no thousands comma),
clock times and ratios (``5:45``), a number inside an expression (``10^10``, ``5!``, ``4\\pi``, ``5x``, ``5k``),
an equation (``2y = 10``), number words, an answer that is taken back (``5 is wrong``), nan and inf.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from aurify.answers.around import DEGREES, RATE, refuse_more
from aurify.answers.number_forms import in_plain_form
from aurify.answers.reading import Unreadable
from aurify.answers.refusals import is_refusal
from aurify.answers.sums import value_of_sum
from aurify.answers.units import CURRENCIES, is_unit, unit_of, units_differ

MAX_NUMBER = 400
"""The longest text that is read as a number, in characters."""
_NUMBER = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)?(?P<decimals>\.\d+)?"
    r"(?:[eE](?P<exponent>[+-]?\d{1,3})(?![\d.]))?(?:\s*/\s*(?P<under>\d+)(?![\d.,]*\d))?"
)
_MIXED = re.compile(r"(?:\s+(?:and\s+)?|-)(\d+)\s*/\s*(\d+)(?!\.?\d)")
_UNKNOWN = re.compile(
    r"\d\s*\\?[A-Za-z](?![A-Za-z])|(?<![A-Za-z])[A-Za-z]\s*[-+*/^]\s*\d|\d\s*[-+*/]\s*[A-Za-z](?![A-Za-z])"
    r"|\b(?:because|since|as|so|where|when|if)\b"
)
_SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "quadrillion": 10**15,
    "dozen": 12, "lakh": 10**5, "crore": 10**7, "mn": 10**6, "mln": 10**6, "mio": 10**6, "bn": 10**9, "bln": 10**9,
    "tn": 10**12, "trn": 10**12,
}  # fmt: skip
_SHORT_SCALES = {"k": 1000, "m": 10**6, "b": 10**9}
_SCALE = re.compile(rf"\s*-?({'|'.join(_SCALES)})s?\b", re.IGNORECASE)
_SHORT_SCALE = re.compile(r"\s?(k|m|b)(?![a-z])", re.IGNORECASE)
_AND_PART = re.compile(
    r"\s+and\s+(an?|one|two|three|four|five)[\s-](half|third|quarter|fourth|fifth|tenth)s?\b(?!\s+of)", re.IGNORECASE
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_CURRENCY_WORD = re.compile(r"(?:\b(?:rs\.?|inr|usd|eur|gbp|us)|[$€£¥₹])\s*\Z", re.IGNORECASE)
_FACTOR = re.compile(r"\s?\*?\s?(?:\\?pi(?![A-Za-z])|π|(?<=[\d*])(?P<letter>[A-Za-z])(?![A-Za-z\d]))(?=[\s.)]*\Z)")
_RESTATED = re.compile(
    r"(.*\d.*?)(?:,?\s+or\s+|\s*\(\s*(?:(?:or|i\.?e\.?,?|that\sis,?|about|approximately|approx\.?|which\sis|≈|~)\s*)?)"
    r"([^()]*\d[^()]*)\)?"
)
"""A value said twice: ``1/2 (0.5)``, ``24 eggs (2 dozen)``, ``5/2 or 2.5``."""
_WORKED_OUT = re.compile(r"([^=()\[\]]*\d[^=()\[\]]*?)\s*(?:=|[(\[]\s*=?)\s*([^=()\[\]]*\d[^=()\[\]]*)[)\]]?\W*")
"""A value, and the sum that it is of: ``64 (8 × 8)``, ``64 = 8 * 8``."""
_EMPHASISED = re.compile(r"\*\*([^*\n]*\d[^*\n]*)\*\*")
_OTHER_NUMBERS = re.compile(r"(?<=\s)[$€£¥₹]?\d[\d.,]*(?=\s[A-Za-z]{3})")
_ADDED = re.compile(
    r"(?:[^\W\d_]|[)\]])(?:\s*\+\s+|\+)[\s($€£¥₹]*\Z|(?<![^\W_])[^\W\d_]\s*[+-][\s($€£¥₹]*\Z"
    r"|(?<![^\W_])[B-HJ-Zb-z]\s+(?:plus|minus)\s+\Z"
)
"""A sum that ends in the number: ``x + 4``, ``the total + 4``, ``x - 4``. A sign alone is none: ``gained +4``."""
_TIMES = re.compile(r"(?<=\d)\sx\s(?=[$\d])")


@dataclass(frozen=True)
class Number:
    """An exact value, with the decimals it was stated with (None: a fraction or a power of ten, which is exact).

    ``unit`` is the unit of measure that stands with it (see ``units``), where one does; ``factor`` what it is
    multiplied by, where that is one letter or pi: ``4\\pi`` and ``5x`` are read, and are neither 4 nor 5.
    """

    value: Fraction
    decimals: int | None = 0
    percent: bool = False
    unit: str | None = None
    factor: str | None = None

    def __str__(self) -> str:
        sign, value = ("-", -self.value) if self.value < 0 else ("", self.value)
        if self.decimals is None:
            text = str(value)
        else:
            digits = str(int(value * 10**self.decimals)).rjust(self.decimals + 1, "0")
            text = f"{digits[: len(digits) - self.decimals]}.{digits[len(digits) - self.decimals :]}".rstrip(".")
        return sign + text + ("%" if self.percent else "")

    def meanings(self) -> list[Number]:
        """What it may mean: a percentage is both 40 and 0.4."""
        if not self.percent:
            return [self]
        return [self, Number(self.value / 100, None if self.decimals is None else self.decimals + 2)]

    def with_unit(self) -> str:
        """The number as verdicts and votes show it: ``-3/4``, ``$9.43``, ``10 cm^2``, ``4pi``."""
        if self.factor:
            return f"{self}{self.factor}"
        if self.unit is None:
            return str(self)
        if self.unit[0] in CURRENCIES:
            return f"{'-' if self.value < 0 else ''}{self.unit[0]}{str(self).lstrip('-')}"
        return f"{self} {self.unit}"


@lru_cache(maxsize=4096)
def read_number(text: str, *, words: bool = True) -> Number:
    """The one number that the text states; ``words`` allows others around it (``a total of 8 apples``).

    Raises:
        Unreadable: there is none, or more than one, or it is too long or ambiguous.
    """
    if len(text) > MAX_NUMBER:
        raise Unreadable(f"longer than {MAX_NUMBER} characters, which no number needs")
    if is_refusal(text):
        raise Unreadable("says that there is no answer")
    plain = in_plain_form(text)
    try:
        return _once(_right_side(plain), words)
    except Unreadable:
        worked_out = _WORKED_OUT.fullmatch(plain) if words else None
        if worked_out:
            number = _once(worked_out[1].strip(), words)
            if number.factor is None and value_of_sum(worked_out[2]) in [same.value for same in number.meanings()]:
                return number
        emphasised = _EMPHASISED.split(text) if words else []
        if len(emphasised) != 3 or re.search(r"\d", emphasised[0]):
            raise
        return _emphasised(*emphasised)


def _once(text: str, words: bool) -> Number:
    """The number that is said once, or twice as one value."""
    try:
        return _read(text, words)
    except Unreadable:
        twice = _RESTATED.fullmatch(text) if words else None
        if twice is None or not _is_restated(twice[1], twice[2]):
            raise
        return _read(twice[1].strip(), words)


def _emphasised(before: str, number: str, after: str) -> Number:
    """The one number in bold, of a sentence with others behind it: ``Kylar pays **$64** for 16 glasses.``

    Raises:
        Unreadable: it is none by itself, or the sentence makes another of it.
    """
    read = _once(_right_side(in_plain_form(number)), True)
    _read(in_plain_form(f"{before}{number}{re.sub(_OTHER_NUMBERS, 'some', after)}"), True)
    return read


def _is_restated(first: str, second: str) -> bool:
    """Whether two texts state one value, the second perhaps rounded."""
    try:
        a, b = _read(first.strip(), True), _read(second.strip(), True)
    except Unreadable:
        return False
    if units_differ(a.unit, b.unit) or a.factor != b.factor:
        return False
    rounded = 2 * abs(a.value - b.value) * 10 ** (b.decimals or 0) <= 1 if b.decimals and a.decimals is None else False
    return rounded or any(x.value == y.value for x in a.meanings() for y in b.meanings())


def _read(text: str, words: bool) -> Number:
    start = next((i for i, c in enumerate(text) if c.isdecimal()), -1)
    if start < 0:
        raise Unreadable("no number")
    if start and text[start - 1] == "." and not text[: start - 1][-1:].isalpha():  # "Rs.20" is 20
        start -= 1
    if start and (text[start - 1].isalnum() or text[start - 1] in "_^") and not _CURRENCY_WORD.search(text[:start]):
        raise Unreadable("a digit inside a word")
    if _ADDED.search(text[:start]):
        raise Unreadable("an expression, not a number: a sum")
    match = _NUMBER.match(text, start)
    if match is None or not (match["whole"] or match["decimals"]):
        raise Unreadable("no number")
    sign, currency, before = _sign(text[:start])
    value, decimals = _value(match)
    value, decimals, end = _more_of_it(text, match.end(), value, decimals, currency)
    factor = _FACTOR.match(text, end)
    if factor and (factor["letter"] is None or not is_unit(factor["letter"])):
        end = factor.end()
    else:
        factor = None
    percent, after = _after(text[end:])
    degrees = "deg" if text[end:].lstrip(" )").startswith(DEGREES) else None
    unit = None if percent else currency or (None if RATE.match(after) else unit_of(after)) or degrees
    if not words and (before or after or factor):
        raise Unreadable("more than a number")
    refuse_more(before, text[end:], after)
    return Number(sign * value, decimals, percent, unit, factor and (factor["letter"] or "pi"))


def _right_side(text: str) -> str:
    """What follows the last ``=``: ``x = 8``, ``3 + 4 = 7``; but not of an equation such as ``2y = 10``."""
    left, equals, right = text.rpartition("=")
    left = _TIMES.sub(" * ", left)
    _, chained, middle = left.partition("=")
    if equals and _UNKNOWN.search(left.rpartition("=")[2]):
        raise Unreadable("an equation, not a number")
    if chained and re.search(r"[,;]|\b(?:and|or)\b", middle):
        raise Unreadable("more than one number")
    return right.strip()


def _sign(before: str) -> tuple[int, str | None, str]:
    """The sign, the currency that stands before the digits, and what else does."""
    sign, currency = 1, None
    while before:
        symbol = _CURRENCY_WORD.search(before)
        if symbol:
            currency = unit_of(symbol[0].strip().removesuffix(".").lower()) or (
                "$" if symbol[0].lower().startswith("us") else None
            )
            before = before[: symbol.start()]
            continue
        if not (before[-1].isspace() or before[-1] in "(-+"):
            break
        if before[-1] == "-":
            if sign < 0:
                raise Unreadable("more than one sign")
            sign = -1
        before = before[:-1]
    word = before.rstrip().rpartition(" ")[2].lower()
    if word in ("minus", "negative"):
        return -sign, currency, before[: -len(word)].strip()
    return sign, currency, before.strip()


def _value(match: re.Match[str]) -> tuple[Fraction, int | None]:
    whole, decimals, exponent, under = match["whole"] or "0", match["decimals"] or "", match["exponent"], match["under"]
    if whole.startswith("0,"):
        raise Unreadable("a comma after a leading zero marks no thousands")
    value = Fraction(whole.replace(",", "") + decimals + (f"e{exponent}" if exponent else ""))
    if under is not None:
        return value * _ratio("1", under), None
    return value, None if exponent else max(0, len(decimals) - 1)


def _more_of_it(
    text: str, end: int, value: Fraction, decimals: int | None, currency: str | None
) -> tuple[Fraction, int | None, int]:
    """The value with what belongs to it behind the digits: ``2 1/2``, ``7 and a half``, ``3 million``, ``$5k``."""
    mixed = _MIXED.match(text, end)
    if mixed and decimals == 0:
        value, decimals, end = value + _ratio(mixed[1], mixed[2]), None, mixed.end()
    part = _AND_PART.match(text, end)
    if part and decimals == 0:
        value += Fraction(_COUNTS[part[1].lower()], _PARTS[part[2].lower()])
        decimals, end = None, part.end()
    scale = _SCALE.match(text, end)
    while scale:
        value, decimals, end = value * _SCALES[scale[1].lower()], None, scale.end()
        scale = _SCALE.match(text, end)
    short = _SHORT_SCALE.match(text, end) if currency else None
    if short:
        value, decimals, end = value * _SHORT_SCALES[short[1].lower()], None, short.end()
    return value, decimals, end


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
    return False, "" if rest in (*CURRENCIES, ",", ";", *DEGREES) else after.strip(" )")
