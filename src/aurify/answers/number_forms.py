"""The many ways in which a number is written, brought to one: signs, marks of thousands, powers of ten, LaTeX."""

from __future__ import annotations

import re

from aurify.answers.characters import RAISED, plain_signs, scripts
from aurify.answers.math.tokens import periodic_as_fractions
from aurify.answers.wrapped import without_wrapping

_POWER_OF_TEN = re.compile(
    r"(?<=\d)\s*(?:\\times|\\cdot|×|·|x|\*)\s*10\s*(?:\^|\*\*)\s*(?:[{(]\s*([+-]?\d{1,3})\s*[})]|([+-]?\d{1,3}))(?!\d)"
)
_RAISED_TEN = re.compile(r"(?<![\d.,^*])10(?:\^|\*\*)(?:\{([+-]?\d{1,3})\}|\(?([+-]?\d{1,3})\)?)(?![\d^*!.]\d?)")
_FRAC = re.compile(r"\\(?:[dtc]|nice|s)?frac\s*(?:\{\s*([+-]?\d+)\s*\}|(\d))\s*(?:\{\s*(-?)(\d+)\s*\}|(\d))")
_DIVIDED = re.compile(r"(?<=\d)\s?÷\s?(?=\d)")
_DOLLARS = re.compile(r"\b(?:US|A|AU|C|CA|NZ|HK|S)\s?(?=\$\s?\d)")
_EMPHASIS = re.compile(r"(?<![\w)*])\*{2,3}(?=[^\s*])|(?<=[^\s*])\*{2,3}(?![\w(*])")
"""Bold around a number; a power (``5**2``) has something on both sides."""
_SPACED = re.compile(r"(?<![\d.,/])(?!0)(\d{1,3})((?: \d{3})+)(?![\d/]|\.\d*/|,\d| \d)")
_SPACED_COMMA = re.compile(r",\s?\\!\s?")
_APOSTROPHES = re.compile(r"(?<![\d.,'_])(\d{1,3})((?:'\d{3})+|(?:_\d{3})+)(?![\d'_])")
_PRICE_END = re.compile(r"(?<=\d)\s?/[-=](?!\w)")  # "Rs. 20/-"
_EQUALS_WITHIN = re.compile(r"\(\s*=\s*")  # "120 cm (= 1.2 m)"
_INDIAN = re.compile(r"(?<![\d.,])(\d{1,2})((?:,\d{2})+,\d{3})(?![\d,]\d?)")
_CENTS = re.compile(
    r"(\d+)\s+dollars?,?\s+and\s+(\d{1,2})\s+cents\b|\$(\d+)\s+and\s+(\d{1,2})\s+cents\b", re.IGNORECASE
)
_REASON = re.compile(r"(?<=\w),?\s+(?:because|since)\b")


def in_plain_form(text: str) -> str:
    """The text with every number in it as digits, a full stop for decimals, ``e`` for powers of ten."""
    text = _SPACED_COMMA.sub(",", plain_signs(scripts(text, RAISED, "^")))
    for old, new in (("\\$", "$"), ("\\%", "%"), ("\\!", ""), ("{,}", ","), ("\\,", " "), ("\\ ", " "), ("~", " ")):
        text = text.replace(old, new)
    for mark in ("\\left", "\\right", "\\(", "\\)", "\\[", "\\]", "\\;", "\\:"):
        text = text.replace(mark, "")
    text = _EMPHASIS.sub("", without_wrapping(text, " ")).strip("*_`\"' \t\r\n")
    while len(text) > 1 and text[0] == text[-1] == "$":  # marks of a formula; a lone one is a currency
        text = text[1:-1].strip()
    text = _FRAC.sub(_as_fraction, periodic_as_fractions(_DOLLARS.sub("", _DIVIDED.sub("/", text))))
    text = _POWER_OF_TEN.sub(lambda m: f"e{m[1] or m[2]}", text)
    text = _RAISED_TEN.sub(lambda m: f"1e{m[1] or m[2]}", text)
    text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    text = _APOSTROPHES.sub(lambda m: m[0].replace("'", "").replace("_", ""), text)
    text = _EQUALS_WITHIN.sub("(", _PRICE_END.sub("", text))
    text = _INDIAN.sub(lambda m: m[0].replace(",", ""), text)
    text = _CENTS.sub(lambda m: f"${m[1] or m[3]}.{(m[2] or m[4]).zfill(2)}", text)
    text = _REASON.split(text, maxsplit=1)[0]
    return text.strip().rstrip(".$_\\").strip()


def _as_fraction(match: re.Match[str]) -> str:
    over, under = match[1] or match[2], match[4] or match[5]
    if match[3]:
        over = over[1:] if over.startswith("-") else f"-{over.lstrip('+')}"
    return f" {over}/{under}"
