"""Answers that are words: equal after Unicode NFC, case folding, and without quotes and final punctuation."""

from __future__ import annotations

import re
import unicodedata

from aurify.answers.reading import Unreadable

_WRAPPED = re.compile(r"\\(?:text|mbox|mathrm|textnormal|textbf|mathbf)\s*\{([^{}]*)\}")
_BRACKETS = set("()[]{}<> \t")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "*": "*", "$": "$"}


def read_words(text: str) -> str:
    """The answer without its wrapping: quotes, ``**bold**``, ``\\text{...}``, final punctuation.

    Sequences of brackets (``] ] >``) keep every character.

    Raises:
        Unreadable: nothing is left.
    """
    text = text.strip()
    if text and not set(text) <= _BRACKETS:
        text = _unwrap(_WRAPPED.sub(r"\1", text).strip())
    if not text:
        raise Unreadable("empty")
    return text


def words_key(text: str) -> str:
    """What two equal answers have in common: ``Yes.`` and ``yes``; ``]]>`` and ``] ] >``."""
    text = read_words(text)
    if set(text) <= _BRACKETS:
        return "".join(text.split())
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


def _unwrap(text: str) -> str:
    while True:
        shorter = text.rstrip(" .,;:!?")
        if len(shorter) > 1 and _QUOTES.get(shorter[0]) == shorter[-1]:
            shorter = shorter[1:-1].strip()
        if not shorter or shorter == text:
            return text
        text = shorter
