"""Letters of options: ``(B)``, ``B.``, ``b)``, ``option B``, ``(B) 12/25/1937``, or the option's own text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from aurify.answers.reading import Unreadable

_OPTION = re.compile(r"^[ \t]*\(([A-Za-z])\)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_WRAPPED = re.compile(r"\\(?:text|mbox|mathrm|textnormal|textbf|mathbf)\s*\{([^{}]*)\}")
_LETTER = re.compile(
    r"(?:(?:option|choice|answer)\s+)?(?:\(\s*([A-Za-z])\s*\)|\[([A-Za-z])\]|([A-Za-z])(?=\s*$|[.,:;)](?:\s|$)|\s+-\s))",
    re.IGNORECASE,
)
_SECOND = re.compile(r"^[\s.,):;]*(?:or|and|/|&)\s+(?:\(\s*([A-Za-z])\s*\)|([A-Za-z])(?:\W|$))", re.IGNORECASE)


def options(question: str) -> dict[str, str]:
    """The options of a question, letter to text, from its lines ``(A) text``, after ``Options:`` where that stands."""
    found: dict[str, str] = {}
    for match in _OPTION.finditer(question.rpartition("Options:")[2]):
        found.setdefault(match[1].upper(), match[2])
    return found


def read_choice(text: str, listed: Mapping[str, str] | None = None) -> str:
    """The choice in one canonical form: ``(B)``, or, where the text is no letter and no options are known, the text.

    A letter wins over the text beside it. ``listed`` are the question's options; a letter that is not among them
    and a text that is none of theirs are unreadable.

    Raises:
        Unreadable: it is empty, names two letters, or none of the options.
    """
    text = _WRAPPED.sub(r"\1", text).strip().strip("*`$ \t\"'").strip()
    if not text:
        raise Unreadable("empty")
    named = [letter for letter, option in (listed or {}).items() if _key(option) == _key(text)]
    if len(named) == 1:
        return f"({named[0]})"
    match = _LETTER.match(text)
    if match:
        letter = next(group for group in match.groups() if group).upper()
        second = _SECOND.match(text[match.end() :])
        if second and (second[1] or second[2]).upper() != letter:
            raise Unreadable("names two options")
        if listed and letter not in listed:
            raise Unreadable(f"({letter}) is none of the options")
        return f"({letter})"
    if listed:
        raise Unreadable("none of the options")
    return text


def same_choice(a: str, b: str) -> bool:
    """Whether two choices, as ``read_choice`` gave them, are the same."""
    return _key(a) == _key(b)


def _key(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return plain.strip(" .,;:!\"'`") or plain
