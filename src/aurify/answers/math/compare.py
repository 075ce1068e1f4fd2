"""Comparison of two tidied mathematical answers. Runs in the worker process, which can be killed.

The own grammar reads first (``expression``), and its structures are compared exactly (``structures``). What it does not
read, math-verify's parser may (``algebra``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from aurify.answers.latex import spellings, without_name, words_in
from aurify.answers.latex_units import without_units
from aurify.answers.math.equality import same
from aurify.answers.math.phrases import without_phrases
from aurify.answers.math.structures import Structure, read_structure
from aurify.answers.reading import Unreadable
from aurify.answers.wrapped import MACRO

_OR, _AND = (re.compile(rf"\\(?:{names})(?![a-zA-Z])") for names in ("lor|vee", "land|wedge"))
_OPEN_END = re.compile(r"(?<!\d)\s?(?:\\[lc]?dots|…|\.\.\.)|(?<![\d.])\d+\s?(?:\\[lc]?dots|…|\.\.\.)")
"""Anything that goes on; ``3.14\\ldots`` is told by its decimals."""
_ANOTHER_OPTION = re.compile(r"\(\s?[A-J]\s?\)|\\text(?:bf)?\s?\{\s?\(?[A-J][).]?\s?\}")
_OPTION_WITHIN = re.compile(MACRO + r"\{\s?(\([A-J]\))\s?\\?\s?([^{}]+)\}$")
_OPTION = re.compile(
    rf"^(?:{MACRO}\{{\s?\(?([A-J])[).:]*\s?\}}|\(([A-J])\)|\({MACRO}\{{\s?([A-J])\s?\}}\)|([A-J])\))\s*(.*)$"
)


def compare_latex(pred: str, gold: str) -> tuple[str, str]:
    """The verdict's word and its reason, of two tidied answers."""
    found = [_compare_spelled(a, b) for a in spellings(pred) for b in spellings(gold)]
    return next((verdict for verdict in found if verdict[0] == "right"), found[0])


def _compare_spelled(pred: str, gold: str) -> tuple[str, str]:
    pair = without_units(pred, gold)
    ours, theirs = _readings(pair.pred), _readings(pair.gold)
    if not ours:
        return "unparsable", "not an expression that can be read"
    if pred == gold:
        return "right", "the same expression"
    if pair.units_differ:
        return "wrong", "another unit"
    if not theirs:
        return "unparsable", "the gold answer is not an expression that can be read"
    outcome = _compare_options(pair.pred, pair.gold)
    if outcome is None:
        outcome = _compare(*without_name(pair.pred, pair.gold))
    return ("right", outcome) if outcome else ("wrong", "not an equal expression")


def _compare(pred: str, gold: str) -> str:
    """Why the two are equal; "": they are not."""
    pred, gold = without_phrases(pred), without_phrases(gold)
    if {bool(_OR.search(pred)), bool(_OR.search(gold))} == {True, False} and (_AND.search(pred) or _AND.search(gold)):
        return ""  # of lists either word joins the items; of statements these do not mean the same
    words = words_in(pred), words_in(gold)
    if any(words):
        return "the same words" if words[0] == words[1] else ""
    ours, theirs = _structure(pred), _structure(gold)
    if ours is not None and theirs is not None:
        try:
            return same(ours, theirs) or ""
        except Unreadable:  # a value that nobody can compute, and SymPy would try
            return ""
    return _compare_algebra(pred, gold)


def _compare_algebra(pred: str, gold: str) -> str:
    from aurify.answers.math.algebra import equal, parse_latex

    if _OPEN_END.search(pred) or _OPEN_END.search(gold):  # the parser passes over it
        return ""
    a, b = parse_latex(pred), parse_latex(gold)
    return "an equal expression (math-verify's parser)" if a is not None and b is not None and equal(a, b) else ""


def _compare_options(pred: str, gold: str) -> str | None:
    """``(C) 12`` is both the letter C and 12; None: neither side is an option."""
    pred, gold = (_OPTION_WITHIN.sub(r"\1 \2", side) for side in (pred, gold))
    ours, theirs = _OPTION.match(pred), _OPTION.match(gold)
    if not (ours or theirs):
        return None
    our_letter, our_value = _option(ours, pred)
    their_letter, their_value = _option(theirs, gold)
    if our_letter and their_letter and our_letter != their_letter:
        return ""
    if our_letter and our_letter == their_letter:
        if _ANOTHER_OPTION.search(our_value) and not _ANOTHER_OPTION.search(their_value):
            return ""
        agree = not our_value or not their_value or _compare(our_value, their_value)
        return "the same option" if agree else ""
    return _compare(our_value, their_value) if our_value and their_value else ""


def _option(match: re.Match[str] | None, text: str) -> tuple[str, str]:
    if match:
        return match[1] or match[2] or match[3] or match[4], match[5].strip()
    return (text, "") if re.fullmatch(r"[A-J]", text) else ("", text)


@lru_cache(maxsize=4096)
def _structure(text: str) -> Structure | None:
    try:
        return read_structure(text)
    except Unreadable:
        return None


@lru_cache(maxsize=4096)
def _readings(text: str) -> bool:
    """Whether a text can be read as mathematics or as words, by any of the readers."""
    if words_in(text) or _OPTION.match(text) or _structure(text) is not None:
        return True
    from aurify.answers.math.algebra import parse_latex

    return parse_latex(text) is not None
