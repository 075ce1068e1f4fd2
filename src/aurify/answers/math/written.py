"""Answers whose parts are told apart before any grammar reads them: clock times, ratios, definitions by cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from aurify.answers.wrapped import without_wrapping

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([ap])\.?\s?m\.?)?", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})\s*([ap])\.?\s?m\.?", re.IGNORECASE)
_NO_RATIO = re.compile(r"[=|<>]|\\[{a-zA-Z]*(?:mid|in|to)\b|\\\{")
_TO = re.compile(r"\s*(\d+)\s+to\s+(\d+)\s*")
_CASES = re.compile(
    r"(?:[A-Za-z](?:_\{?\w\}?)?(?:\([A-Za-z]\))?\s*=\s*)?(?:\\\{)?\s*\\begin\s*\{[dr]?cases\}(.*)\\end\s*\{[dr]?cases\}",
    re.DOTALL,
)
_ROWS = re.compile(r"\\\\(?:\s*\[[^\]]*\])?")
_CONDITION = re.compile(r"^\s*(?:if|when|for|where|whenever)\b\s*", re.IGNORECASE)
_OTHERWISE = frozenset(("otherwise", "else", "elsewhere", "in all other cases"))
_PROGRAM_MATRIX = re.compile(r"\[([^\[\]();]+(?:;[^\[\]();]+)+)\]")
_LIBRARY = re.compile(r"\b(?:np|numpy|sp|sympy|torch)\.(?:array|[mM]atrix|tensor)\b|\barray(?=\(\[)")
_PARAMETER = re.compile(
    r"\s*[,;]?\s*(?:\\(?:text|mathrm|mbox)\s*\{[ ,]*(?:where|for|with)?\s*\}\s*|(?:where|for|with)\s+)?"
    r"(?:any\s)?[a-z]\s*(?:\\in|∈)\s*\\mathbb\s*\{?Z\}?\s*$"
)
"""That a parameter is an integer, behind a formula that holds it."""
_ANGLES = re.compile(r"<([^<>=]+,[^<>=]+)>")


@dataclass(frozen=True)
class TimeOfDay:
    """A time of day; ``half`` is a or p, or nothing where it was not said, ``parts`` what was written."""

    parts: tuple[int, ...]
    half: str

    @property
    def time(self) -> tuple[int, int, int]:
        """Hour, minute and second."""
        hour, minute, second = (*self.parts, 0, 0)[:3]
        return hour, minute, second

    def is_same(self, other: TimeOfDay) -> bool:
        """Whether both may be the same time: ``5:00 pm`` and ``17:00``, or ``5:00`` without its half."""
        if (self.half and other.half) or not (self.half or other.half):
            return self._seconds() == other._seconds()
        face = [(one.time[0] % 12, *one.time[1:]) for one in (self, other)]
        bare = other if self.half else self
        return face[0] == face[1] and (bare.time[0] <= 12 or self._seconds() == other._seconds())

    def _seconds(self) -> int:
        hour, minute, second = self.time
        return 3600 * (hour % 12 + 12 * (self.half == "p") if self.half else hour) + 60 * minute + second


@dataclass(frozen=True)
class Ratio:
    """Parts that matter by their proportions: ``3:4`` and ``6:8``."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Cases:
    """Values, each with the condition under which it is the value: a structure, or words."""

    rows: tuple[tuple[Any, Any], ...]


def clock_in(text: str) -> TimeOfDay | None:
    """The time of day that a text is."""
    plain = without_wrapping(text).strip()
    found = _CLOCK.fullmatch(plain)
    parts = tuple(int(part) for part in found.groups()[:3] if part) if found else ()
    if found and max(parts[1:]) < 60 and (parts[0] < 24 or (parts[0] == 24 and not any(parts[1:]))):
        return TimeOfDay(parts, (found[4] or "").lower())
    hour = _HOUR.fullmatch(plain)
    return TimeOfDay((int(hour[1]),), hour[2].lower()) if hour and 0 < int(hour[1]) <= 12 else None


def ratio_in(text: str) -> list[str] | None:
    """The parts of a ratio, as they are written."""
    plain = without_wrapping(text)
    to = _TO.fullmatch(plain)
    if to:
        return [to[1], to[2]]
    if ":" not in plain or _NO_RATIO.search(plain):
        return None
    parts = plain.split(":")
    return parts if all(part.strip() for part in parts) else None


def rows_in(text: str) -> list[list[str]] | None:
    """The rows of a matrix as programs write it: ``[1, 2; 3, 4]``."""
    found = _PROGRAM_MATRIX.fullmatch(text.strip())
    if not found:
        return None
    return [re.split(r"\s*,\s*|\s+", row.strip()) for row in found[1].split(";")]


def without_library(text: str) -> str:
    """Matrices and vectors as the grammar knows them: ``np.array([[1, 2]])`` and ``<1, 2>``."""
    text = _LIBRARY.sub("Matrix", text)
    text = _PARAMETER.sub("", text)
    vector = _ANGLES.fullmatch(text.strip())
    return f"\\langle {vector[1]} \\rangle" if vector else text


def cases_in(text: str) -> list[tuple[str, str]] | None:
    """The rows of a definition by cases, value and condition; one without conditions has empty ones."""
    found = _CASES.fullmatch(text.strip())
    if not found:
        return None
    rows = []
    for row in _ROWS.split(found[1]):
        value, _, condition = row.partition("&")
        if not row.strip():
            continue
        plain = _CONDITION.sub("", without_wrapping(condition.replace("&", " "), " ", " ").strip().strip(",.;")).strip()
        rows.append((value.strip().strip(",.;").strip(), "otherwise" if plain.lower() in _OTHERWISE else plain))
    return rows
