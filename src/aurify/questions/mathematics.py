"""Gold answers that read as mathematics though nothing in them is LaTeX: ``x + 3``, ``(2,8)``, ``1103_6``, ``3:4``.

The signs alone are looked at, so that a file is read in linear time. What may as well be something else is none: a
date, a score, a size or a code (``2019-05-01``, ``3-2``, ``3 × 4``, ``B-52``), a time of day, a letter, a list of
letters.
"""

from __future__ import annotations

import re

_LONGEST = 300
_SPACING = re.compile(r"\\[,;:!]|\\q?quad(?![a-z])")
_RAISED = re.compile(r"[²³¹⁰⁴-⁹ⁿ]+")
_SIGNS = re.compile(r"[\w\s+\-−–*/×·÷^=<>≤≥≠±√∞°%!|()\[\]{},;.'’∪∩∈]+")
_KNOWN = re.compile(
    r"(?<![a-z])(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?(?![a-z])"
    r"|(?<![a-z])(?:sqrt|log|ln|exp|abs|floor|ceil|max|min|mod|gcd|lcm|det|pi|inf|oo|infinity|and|or)(?![a-z])"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_PRODUCT = re.compile(r"(?!am|pm|an)[abcmnpqrxyzπθ]{2}")
"""Letters that are multiplied: ``2ab``, ``xy``."""
_PROSE = re.compile(
    r"[^\W\d_]\s+[^\W\d_]|\d\s+\d|[)\]]\s+\d|[\d)]\s+[^\W\d_]{2}|[^\W\d_]{2}\s+[\d(]|[-+*/=^<>]\s*[,;.)\]]|[^\W\d_]\."
)
"""Letters and numbers side by side, an operator with nothing behind it, an abbreviation."""
_ENDS_OPEN = re.compile(r"[-−–+*/×·÷^=<>≤≥≠±√_,;]\s*\Z")
_STRUCTURE = re.compile(r"[-−+*/×·÷^=<>≤≥≠±√|(\[{,;∪∩∈²³_]|\d\s?[inxyzπ](?!\w)")
_OPERATION = re.compile(r"(?<=[a-z)])\s?[-−+*/^=]\s?[a-z(\d]|^[-−][a-z]$")
_RATIO = re.compile(r"\d+(?:\.\d+)?(?:\s?:\s?\d+(?:\.\d+)?)+")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_NAMED = re.compile(r"\d+(?:\s?[-–/.×x*]\s?\d+)+|[A-Z\d]+(?:[-–][A-Z\d]+)+|\d+(?:_\d{3})+")
"""Digits and letters that may name something: a date, a score, a size, a code, a number with its thousands apart."""


def reads_as_mathematics(answer: str) -> bool:
    """Whether an answer is an expression, an equation, an interval, a tuple or list of numbers, a ratio, or a number
    with its base."""
    text = _RAISED.sub("^2", _SPACING.sub(" ", answer)).strip().removesuffix(".")
    if _RATIO.fullmatch(text):
        return not _TIME_OF_DAY.fullmatch(text)
    if len(text) > _LONGEST or not _SIGNS.fullmatch(text) or _NAMED.fullmatch(text) or _ENDS_OPEN.search(text):
        return False
    if sum(map(text.count, "([{")) != sum(map(text.count, ")]}")):
        return False
    bare = _KNOWN.sub(" , ", text)
    if any(not _PRODUCT.fullmatch(word) for word in _WORD.findall(bare)) or _PROSE.search(_KNOWN.sub("√", text)):
        return False
    holds_number = re.search(r"[\d∞π]", text) is not None
    return bool(_STRUCTURE.search(bare)) and (holds_number or bool(_OPERATION.search(text)))
