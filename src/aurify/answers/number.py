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

from aurify.answers.characters import RAISED, plain_signs, scripts
from aurify.answers.reading import Unreadable
from aurify.answers.refusals import is_refusal
from aurify.answers.units import CURRENCIES, is_unit, unit_of, units_differ

MAX_NUMBER = 400
"""The longest text that is read as a number, in characters."""
LONG_TAIL = 6
"""A gold answer with this many decimals was computed, and its last digit cut off or rounded."""
DOUBLE = 15
"""So many significant digits are all that a computer's double holds of a fraction such as 2/3."""

_POWER_OF_TEN = re.compile(
    r"(?<=\d)\s*(?:\\times|\\cdot|×|·|x|\*)\s*10\s*(?:\^|\*\*)\s*(?:[{(]\s*([+-]?\d{1,3})\s*[})]|([+-]?\d{1,3}))(?!\d)"
)
_RAISED_TEN = re.compile(r"(?<![\d.,^*])10(?:\^|\*\*)(?:\{([+-]?\d{1,3})\}|\(?([+-]?\d{1,3})\)?)(?![\d^*!.]\d?)")
_FRAC = re.compile(r"\\[dtc]?frac\s*(?:\{\s*([+-]?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))")
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textnormal|textrm|textbf|mathbf|textit)\s*\{([^{}]*)\}")
_SPACED = re.compile(r"(?<![\d.,/])(?!0)(\d{1,3})((?: \d{3})+)(?![\d/]|\.\d*/|,\d| \d)")
_SPACED_COMMA = re.compile(r",\s?\\!\s?")
_APOSTROPHES = re.compile(r"(?<![\d.,'_])(\d{1,3})((?:'\d{3})+|(?:_\d{3})+)(?![\d'_])")
_INDIAN = re.compile(r"(?<![\d.,])(\d{1,2})((?:,\d{2})+,\d{3})(?![\d,]\d?)")
_CENTS = re.compile(
    r"(\d+)\s+dollars?,?\s+and\s+(\d{1,2})\s+cents\b|\$(\d+)\s+and\s+(\d{1,2})\s+cents\b", re.IGNORECASE
)
_REASON = re.compile(r"(?<=\w),?\s+(?:because|since)\b")
_NUMBER = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)?(?P<decimals>\.\d+)?"
    r"(?:[eE](?P<exponent>[+-]?\d{1,3})(?![\d.]))?(?:\s*/\s*(?P<under>\d+)(?![\d.,]*\d))?"
)
_MIXED = re.compile(r"(?:\s+(?:and\s+)?|-)(\d+)\s*/\s*(\d+)(?!\.?\d)")
_ANOTHER = re.compile(r"(?<![A-Za-z^\d])\d")
_OPERATORS = set("^*/+!:=<>×÷_²³¹⁰⁴⁵⁶⁷⁸⁹√∛∜·∞π±∓‰‱")
_UNKNOWN = re.compile(
    r"\d\s*\\?[A-Za-z](?![A-Za-z])|(?<![A-Za-z])[A-Za-z]\s*[-+*/^]\s*\d|\d\s*[-+*/]\s*[A-Za-z](?![A-Za-z])"
    r"|\b(?:because|since|as|so|where|when|if)\b"
)
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_SHORT_SCALES = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_SCALE = re.compile(r"\s*-?(hundred|thousand|million|billion|trillion|dozen)s?\b", re.IGNORECASE)
_SHORT_SCALE = re.compile(r"\s?(k|mn?|bn?|tn)(?![a-z])", re.IGNORECASE)
_AND_PART = re.compile(r"\s+and\s+(?:a|one)[\s-](half|third|quarter|fourth|fifth|tenth)\b", re.IGNORECASE)
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_CURRENCY_WORD = re.compile(r"(?:\b(?:rs\.?|inr|usd|eur|gbp|us)|[$€£¥₹])\s*\Z", re.IGNORECASE)
_CONVERTED = re.compile(
    r"\(\s*(?:=|i\.?e\.?,?|that\sis,?|about|approximately|which\sis)?\s*[$€£¥₹]?[\d.,]+\s*[A-Za-z$€£¥₹%°][^()\d]*\)?\s*\Z"
)
_NUMBER_WORDS = (
    r"(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety)"
)
_COUNTED = re.compile(
    rf"[\s-]*(?:and\s+)?(?:an?\s+)?(?:{_NUMBER_WORDS}|half|halves|thirds|fourths|fifths|sixths|sevenths|eighths|ninths"
    r"|tenths|hundredths|thousandths|twelfths|pi|infinity|squared?\sroot|factorial|plus|minus|divided|squared|cubed|choose|mod(?:ulo)?|remainder|to\sthe\s\w*power)\b"
    rf"|[\s-]*(?:times|over|by)\s+{_NUMBER_WORDS}"
    r"|.*\b(?:hundred|thousand|million|billion|trillion|dozen)\b",
    re.IGNORECASE | re.DOTALL,
)
_TAKEN_BACK = re.compile(
    r"\bor\b|\bnot\b|n['’]t\b|\b(?:wrong|incorrect|false|mistake|instead|rather|should|maybe|perhaps|unless|too\shigh|too\slow"
    r"|below\szero)\b",
    re.IGNORECASE,
)
_NOT_THAT = re.compile(
    r"\bnot\b|n['’]t\b|\b(?:half\s(?:of|as)|twice|double|triple|never|\w*root\sof|square\sof|cube\sof|inverse\sof"
    r"|reciprocal\sof)\b|\b(?:(?:more|less|greater|fewer|larger|smaller|higher|lower)\sthan|over|under|above|below)\W*\Z"
    r"|[A-Za-z]\(\W*\Z|\b(?:sqrt|cbrt|log|ln|lg|exp|sin|cos|tan|cot|sec|csc|arc\w+|abs|pm|mp)\W*\Z",
    re.IGNORECASE,
)
_LONE_LETTER = re.compile(r"\s*([A-Za-z])(?![A-Za-z])")
_FACTOR = re.compile(r"\s?\*?\s?(?:\\?pi(?![A-Za-z])|π|(?<=[\d*])(?P<letter>[A-Za-z])(?![A-Za-z\d]))(?=[\s.)]*\Z)")
_DEGREES = ("^\\circ", "^{\\circ}", "°")


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

    def with_unit(self) -> str:
        """The number as verdicts and votes show it: ``-3/4``, ``$9.43``, ``10 cm^2``, ``4pi``."""
        if self.factor:
            return f"{self}{self.factor}"
        if self.unit is None:
            return str(self)
        if self.unit[0] in CURRENCIES:
            return f"{'-' if self.value < 0 else ''}{self.unit[0]}{str(self).lstrip('-')}"
        return f"{self} {self.unit}"


def read_number(text: str, *, words: bool = True) -> Number:
    """The one number that the text states; ``words`` allows others around it (``a total of 8 apples``).

    Raises:
        Unreadable: there is none, or more than one, or it is too long or ambiguous.
    """
    if len(text) > MAX_NUMBER:
        raise Unreadable(f"longer than {MAX_NUMBER} characters, which no number needs")
    if is_refusal(text):
        raise Unreadable("says that there is no answer")
    text = _right_side(_plain(text))
    start = next((i for i, c in enumerate(text) if c.isdecimal()), -1)
    if start < 0:
        raise Unreadable("no number")
    if start and text[start - 1] == ".":
        start -= 1
    if start and (text[start - 1].isalnum() or text[start - 1] in "_^") and not _CURRENCY_WORD.search(text[:start]):
        raise Unreadable("a digit inside a word")
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
    unit = None if percent else currency or unit_of(after)
    if not words and (before or after or factor):
        raise Unreadable("more than a number")
    _refuse_more(before, text[end:], after)
    return Number(sign * value, decimals, percent, unit, factor and (factor["letter"] or "pi"))


def same_number(pred: Number, gold: Number) -> str | None:
    """Why the prediction is the gold number, or None where it is not.

    Values are compared exactly. Where the gold answer was itself rounded, a prediction with more digits (or a
    fraction) may be what it was rounded from: ``2/3`` for ``0.67``, but neither ``0.7`` for ``0.67`` nor ``3.1`` for
    ``3.14159``. Where the gold answer is a fraction that has no end of decimals, all the digits of a double are enough.
    A percentage is both 40 and 0.4. Two units of measure have to be the same.
    """
    if units_differ(pred.unit, gold.unit) or pred.factor != gold.factor:
        return None
    for x in _meanings(pred):
        for y in _meanings(gold):
            if x.value == y.value:
                return "the same number"
    if pred.percent != gold.percent:
        return None
    if _rounded_from(pred, gold):
        return f"the gold answer, rounded to its {gold.decimals} decimals"
    if _all_of_a_double(pred, gold):
        return f"the gold answer to {pred.decimals} decimals, all that a double holds"
    return None


def _meanings(number: Number) -> list[Number]:
    return [number, Number(number.value / 100, None)] if number.percent else [number]


def _rounded_from(pred: Number, gold: Number) -> bool:
    """Whether the gold answer is the rounding (from ``LONG_TAIL`` decimals on, also the cutting off) of a finer one."""
    if not gold.decimals:
        return False
    computed = (
        pred.value.denominator > 1 if pred.decimals is None else pred.decimals >= max(LONG_TAIL, gold.decimals + 1)
    )
    two_digits = abs(gold.value) * 10**gold.decimals >= 10
    away = abs(pred.value - gold.value) * 10**gold.decimals
    return computed and two_digits and (away < 1 if gold.decimals >= LONG_TAIL else away * 2 <= 1)


def _all_of_a_double(pred: Number, gold: Number) -> bool:
    if gold.decimals is not None or not pred.decimals or pred.decimals > 40:
        return False
    digits = len(str(abs(int(pred.value * 10**pred.decimals))))
    endless = 10**pred.decimals % gold.value.denominator != 0
    return digits >= DOUBLE and endless and abs(pred.value - gold.value) * 10**pred.decimals < 1


def _plain(text: str) -> str:
    text = _SPACED_COMMA.sub(",", plain_signs(scripts(text, RAISED, "^")))
    for old, new in (("\\$", "$"), ("\\%", "%"), ("\\!", ""), ("{,}", ","), ("\\,", " "), ("\\ ", " "), ("~", " ")):
        text = text.replace(old, new)
    for mark in ("\\left", "\\right", "\\(", "\\)", "\\[", "\\]", "\\;", "\\:"):
        text = text.replace(mark, "")
    text = _TEXT.sub(r" \1", text).strip("*_` \t\r\n")
    while len(text) > 1 and text[0] == text[-1] == "$":  # marks of a formula; a lone one is a currency
        text = text[1:-1].strip()
    text = _FRAC.sub(lambda m: f" {m[1] or m[2]}/{m[3] or m[4]}", text)
    text = _POWER_OF_TEN.sub(lambda m: f"e{m[1] or m[2]}", text)
    text = _RAISED_TEN.sub(lambda m: f"1e{m[1] or m[2]}", text)
    text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    text = _APOSTROPHES.sub(lambda m: m[0].replace("'", "").replace("_", ""), text)
    text = _INDIAN.sub(lambda m: m[0].replace(",", ""), text)
    text = _CENTS.sub(lambda m: f"${m[1] or m[3]}.{(m[2] or m[4]).zfill(2)}", text)
    text = _REASON.split(text, maxsplit=1)[0]
    return text.strip().rstrip(".$_").strip()


def _right_side(text: str) -> str:
    """What follows the last ``=``: ``x = 8``, ``3 + 4 = 7``; but not of an equation such as ``2y = 10``."""
    left, equals, right = text.rpartition("=")
    name, before, middle = left.rpartition("=")[2], *left.partition("=")[1:]
    if equals and _UNKNOWN.search(name):
        raise Unreadable("an equation, not a number")
    if before and re.search(r"[,;]|\b(?:and|or)\b", middle):
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
        value, decimals, end = value + Fraction(1, _PARTS[part[1].lower()]), None, part.end()
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
    return False, "" if rest in (*CURRENCIES, ",", ";", *_DEGREES) else after.strip(" )")


def _refuse_more(before: str, behind: str, after: str) -> None:
    """Refuse where what stands around the number makes another value of it, or takes it back."""
    if re.match(r",\s*\d", after) and not after.startswith(", "):
        raise Unreadable("a comma that marks no thousands")
    if re.match(r"[eE][+-]?\d", after):
        raise Unreadable("an exponent of more than three digits")
    converted = _CONVERTED.search(after)
    if converted and unit_of(after[: converted.start()]):
        after = after[: converted.start()]
    if _ANOTHER.search(re.sub(r"\^\{?\d\}?", "", after)):
        raise Unreadable("more than one number")
    if after and after[0] in _OPERATORS and not after.startswith(_DEGREES):
        raise Unreadable(f"an expression, not a number: {after[0]!r} follows")
    if before and before[-1] in _OPERATORS | {"\\", "{", "|"} and before[-1] != ":":
        raise Unreadable(f"an expression, not a number: {before[-1]!r} stands before it")
    _refuse_letters(behind, after)
    if _TAKEN_BACK.search(after) or _NOT_THAT.search(before):
        raise Unreadable("says what the answer is not")
    if _COUNTED.match(after):
        raise Unreadable("an expression, not a number: a number word follows")


def _refuse_letters(behind: str, after: str) -> None:
    """Refuse ``5x``, ``4i``, ``5k``, ``4\\pi``; read ``6th``, ``36cm``, ``5 a day``."""
    if "\\" in after.replace("\\circ", ""):
        raise Unreadable("an expression, not a number: LaTeX follows")
    glued = re.match(r"[^\W\d_]+", behind)
    if glued and glued[0].lower() not in ("st", "nd", "rd", "th") and not is_unit(glued[0]):
        raise Unreadable(f"an expression, not a number: {glued[0][:20]!r} follows")
    lone = _LONE_LETTER.match(after)
    if lone and not glued and not is_unit(lone[1]):
        rest = after[lone.end() :]
        if lone[1] not in "aI" or not re.match(r"\s+[A-Za-z]{2}", rest):
            raise Unreadable(f"an expression, not a number: {lone[1]!r} follows")
