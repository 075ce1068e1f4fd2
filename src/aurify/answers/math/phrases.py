"""Phrases that stand for a set of numbers: ``all real numbers``, ``no solution``, ``x is positive``."""

from __future__ import annotations

import re

from aurify.answers.wrapped import without_wrapping

_ALL = r"(?:the\s)?(?:set\sof\s)?(?:all\s)?(?:of\s)?(?:the\s)?"
_BY_SIGN = {
    "positive": r"(0,\infty)", "negative": r"(-\infty,0)", r"non-?\s?negative": r"[0,\infty)",
    r"non-?\s?positive": r"(-\infty,0]",
}  # fmt: skip
_FORMULAS = {
    rf"{_ALL}real(?:s|\snumbers)": r"\mathbb{R}",
    rf"{_ALL}integers": r"\mathbb{Z}",
    **{rf"{_ALL}{sign}\s(?:real\s)?(?:reals|numbers)|[a-z]\sis\s{sign}": those for sign, those in _BY_SIGN.items()},
    r"(?:there\s(?:is|are)\s)?no\s(?:real\s|such\s)?(?:solutions?|roots?)(?:\sexists?)?": r"\emptyset",
    r"(?:the\s)?empty\sset": r"\emptyset",
    r"(?:negative|minus)\sinfinity": r"-\infty",
    r"(?:positive|plus)\sinfinity": r"\infty",
}
_PHRASES = {re.compile(phrase): formula for phrase, formula in _FORMULAS.items()}
_EXCEPT = re.compile(r"all\sreal\snumbers\s(?:except|but|other\sthan|excluding)(?:\sfor)?\s(?:[a-z]\s?=\s?)?(.+)")


def without_phrases(text: str) -> str:
    """The text, or the set that its words stand for."""
    plain = " ".join(without_wrapping(text).split()).strip(" .").lower()
    for phrase, formula in _PHRASES.items():
        if phrase.fullmatch(plain):
            return formula
    but = _EXCEPT.fullmatch(plain)
    return f"\\mathbb{{R}} \\setminus \\{{{but[1]}\\}}" if but else text


def is_phrase(text: str) -> bool:
    """Whether a text is nothing but such a phrase: a sentence, and yet an answer."""
    return without_phrases(text) != text
