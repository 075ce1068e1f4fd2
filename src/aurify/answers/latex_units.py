"""Units of measure behind a mathematical answer: which words are one, and whether those of two answers differ."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurify.answers.math.tokens import is_known_word
from aurify.answers.number import Number, read_number
from aurify.answers.reading import Unreadable
from aurify.answers.units import unit_of, units_differ
from aurify.answers.wrapped import MACRO

_UNIT = re.compile(
    r"(?<=[\w})])\s*" + MACRO + r"\{(?!\s*(?:(?:and|or|if)\b|\([A-J]\)|[ie]\s*\}))([^{}]*)\}\.?((?:\^\{?\d\}?)?)\s*$"
)
_UNIT_RATIO = re.compile(
    r"(?<=[\w})])\s*\\frac\s*\{\s*"
    + MACRO
    + r"\{([^{}]*)\}\s*\}\s*\{\s*"
    + MACRO
    + r"\{([^{}]*)\}\s*((?:\^\{?\d\}?)?)\}\s*$"
)
_PLAIN_UNIT = re.compile(
    r"(?:(?<=[\d})])|(?<=\\pi)|(?<=\\pi ))\s*((?:\b|(?<=\d))[A-Za-z][A-Za-z. /]{0,60}(?:\^\{?\d\}?)?)\s*$"
)
_SCALE = re.compile(r"\s*(?:(?:hundred|thousand|million|billion|trillion|dozen)s?|[ap]\.?\s?m)\b", re.IGNORECASE)
_HEAT = re.compile(r"\^?\s*\\circ\s*(?:" + MACRO + r"\{\s*([CF])\s*\}|([CF]))$")
_MARKED_UNIT = re.compile(r"\\unit\{([^{}]*)\}$")
_FUNCTION = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc|cis)(?![a-z])")


@dataclass(frozen=True)
class TidiedPair:
    """Two tidied answers without their units, and whether the units tell them apart."""

    pred: str
    gold: str
    units_differ: bool


def without_units(pred: str, gold: str) -> TidiedPair:
    """Both without their units. Letters behind a number (``10 m``) are a unit where the other side has no letters."""
    (ours, our_unit), (theirs, their_unit) = without_mark(pred), without_mark(gold)
    if our_unit is None and not _has_letters(theirs):
        ours, our_unit = _letters_as_unit(ours)
    elif their_unit is None and not _has_letters(ours):
        theirs, their_unit = _letters_as_unit(theirs)
    marks = [unit or ("%" if text.endswith("%") else None) for text, unit in ((ours, our_unit), (theirs, their_unit))]
    return TidiedPair(ours, theirs, units_differ(*marks))


def split_unit(text: str) -> tuple[str, str | None]:
    """The text without the words behind it, and the unit of measure that they name."""
    heat = _HEAT.search(text)
    if heat:
        return text[: heat.start()], f"deg{heat[1] or heat[2]}"
    if not _FUNCTION.search(text):
        bare = text.replace("^\\circ", "").replace("\\circ", "") if text.endswith("\\circ") else text
        if bare != text:
            return bare, "deg"
        text = text.replace("^\\circ", "")
    ratio = _UNIT_RATIO.search(text)
    if ratio and unit_of(f"{ratio[1]}/{ratio[2]}{ratio[3]}"):
        return text[: ratio.start()], unit_of(f"{ratio[1]}/{ratio[2]}{ratio[3]}")
    found = _UNIT.search(text)
    if found and not _SCALE.match(found[1]):
        unit = unit_of(found[1].replace("\\", " ") + found[2])
        counts = text[: found.start()].rstrip()[-1:] in (*"0123456789})",)
        if unit or counts:
            return text[: found.start()] or text, unit
    plain = _PLAIN_UNIT.search(text)
    if plain and not _SCALE.match(plain[1]):
        words = re.findall(r"[A-Za-z]+", plain[1])
        unit = unit_of(plain[1])
        long = all(len(word) > 2 for word in words) or (unit is not None and len(words[0]) > 2)
        known = any(is_known_word(word) for word in words)
        if long and not known and unit and not plain_number(text[: plain.start()]):
            return text[: plain.start()], unit
        prose = all(len(word) > 1 for word in words) and any(len(word) > 2 for word in words)
        if (
            prose
            and not any(is_known_word(word) for word in words if len(word) > 2)
            and _states(text, text[: plain.start()])
        ):
            return text[: plain.start()], unit
    return text, None


def _states(text: str, begun: str) -> bool:
    """Whether the words behind a number leave it as it is: ``5 in total``, but not ``5 plus three``."""
    number = plain_number(begun)
    try:
        return number is not None and read_number(text).value == number.value
    except Unreadable:
        return False


def _letters_as_unit(text: str) -> tuple[str, str | None]:
    """``10 cm`` and ``10 m`` as a number and a unit."""
    plain = _PLAIN_UNIT.search(text)
    unit = unit_of(plain[1]) if plain else None
    if plain is None or unit is None or _has_names(text[: plain.start()]):
        return text, None
    if len(plain[1].strip(". ")) == 1 and not text[: plain.start(1)].endswith(" "):
        return text, None  # "10m" is a product
    return text[: plain.start()].strip(), unit


def _has_names(text: str) -> bool:
    """Whether letters other than functions and constants (``sqrt``, ``pi``) stand in the text."""
    return any(not is_known_word(word) for word in re.findall(r"(?<![\\A-Za-z])[A-Za-z]+", text))


def _has_letters(text: str) -> bool:
    return bool(re.search(r"(?<![\\A-Za-z])[A-Za-z]", text))


def without_mark(tidied: str) -> tuple[str, str | None]:
    """A tidied answer without the unit that it is marked with, and that."""
    unit = _MARKED_UNIT.search(tidied)
    return (tidied[: unit.start()].strip(), unit[1]) if unit else (tidied, None)


def plain_number(tidied: str) -> Number | None:
    """The number that a tidied answer is and nothing else; None: it is none."""
    if "=" in tidied or (tidied.startswith(("(", "[")) and "," in tidied):  # a point, and no thousands
        return None
    try:
        return read_number(tidied, words=False)
    except Unreadable:
        return None
