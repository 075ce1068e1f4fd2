"""Answers that are words: equal after Unicode NFC, case folding, and without quotes and final punctuation."""

from __future__ import annotations

import re
import unicodedata

from aurify.answers.polar import polar_word
from aurify.answers.reading import Unreadable, refuse_long
from aurify.answers.refusals import is_refusal
from aurify.answers.wrapped import without_wrapping

_BRACKETS = set("()[]{}<> \t")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "*": "*", "$": "$"}
_PLAIN = str.maketrans(dict.fromkeys("‘’‛′", "'") | dict.fromkeys("“”„″", '"') | dict.fromkeys("\u2010\u2011", "-"))
_HALF_OF_DAY = re.compile(r"(?<=\d)\s?([ap])\.?\s?m\b\.?")


def read_words(text: str) -> str:
    """The answer without its wrapping: quotes, ``**bold**``, ``\\text{...}``, final punctuation.

    Sequences of brackets (``] ] >``) keep every character.

    Raises:
        Unreadable: nothing is left, it is too long, or it says that there is no answer (``I do not know.``).
    """
    text = text.strip()
    refuse_long(text)
    if is_refusal(text):
        raise Unreadable("says that there is no answer")
    if text and not set(text) <= _BRACKETS:
        text = _unwrap(without_wrapping(text).strip())
    if not text or not text.strip("\"'`“”‘’«»* "):
        raise Unreadable("empty")
    return text


def words_key(text: str) -> str:
    """What two equal answers have in common: ``Yes.`` and ``yes``; ``]]>`` and ``] ] >``; ``3 PM`` and ``3 p.m.``"""
    text = read_words(text)
    if set(text) <= _BRACKETS:
        return "".join(text.split())
    plain = unicodedata.normalize("NFC", text.casefold()).translate(_PLAIN)
    return " ".join(_HALF_OF_DAY.sub(r" \1m", plain).split())


def same_words(predicted: str, gold: str) -> bool:
    """Whether two answers are the same words; where a yes or no is asked for, its reason may stand behind it."""
    key = words_key(gold)
    return words_key(predicted) == key or polar_word(read_words(predicted)) == key


def _unwrap(text: str) -> str:
    """The text without quotes around it and final punctuation, layer by layer, at indices: linear in its length."""
    start, end = 0, len(text)
    while start < end:
        inner = end
        while inner > start and text[inner - 1] in " .,;:!?":
            inner -= 1
        begin = start
        if inner - start > 1 and _QUOTES.get(text[start]) == text[inner - 1]:
            begin, inner = start + 1, inner - 1
            while begin < inner and text[begin].isspace():
                begin += 1
            while inner > begin and text[inner - 1].isspace():
                inner -= 1
        if begin >= inner or (begin, inner) == (start, end):
            break
        start, end = begin, inner
    return text[start:end]
