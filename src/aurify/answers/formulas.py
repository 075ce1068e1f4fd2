"""Formulas in a text: between dollars or brackets, and what looks like one where no mark says so. All linear."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DELIMITER = re.compile(r"\\\\|\\\$|\\[\[\]()]|\$\$?")
_JOINT = re.compile(r"\s{0,3}(?:[,;]\s{0,3}(?:and|or)?|and|or)\s{0,3}")
_CLOSES = {"$$": "$$", "$": "$", "\\[": "\\]", "\\(": "\\)"}
_VALUE = re.compile(
    r"^(?:So|Thus|Hence|Therefore|The|Its|Our)\b.*\b(?:is|are|equals|be|becomes)\s+(?P<value>\S.*)$", re.DOTALL
)
_CONCLUDES = re.compile(r"(?:So|Thus|Hence|Therefore|Finally|Then),?\s+(?P<value>\S.*)", re.DOTALL)
_BEGINS = re.compile(
    r"[-+−±√∛∞π(\[{⟨|\d.½⅓⅔¼¾⅕-⅞]|\\[a-zA-Z{|]|[a-zA-Z](?:['’]?\s?[=^_*/+<>≤≥(-]|\d|[.,]?$|\s?\\)"
    r"|(?:sqrt|sin|cos|tan|log|ln|exp|pi|oo|abs)\b"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_KNOWN_WORDS = """sqrt sin cos tan cot sec csc log exp abs floor ceil max min gcd lcm and inf infinity
arcsin arccos arctan sinh cosh tanh degrees units square cubic matrix pmatrix bmatrix array"""
_KNOWN = frozenset(_KNOWN_WORDS.split())


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Every formula between marks: where it begins and ends, marks included, and what it holds."""
    marks = [(m[0], m.start(), m.end()) for m in _DELIMITER.finditer(text)]
    last = {mark: i for i, (mark, _, _) in enumerate(marks)}  # so that what is never closed costs one look
    i = 0
    while i < len(marks):
        mark, start, end = marks[i]
        closer = _CLOSES.get(mark)
        i += 1
        if closer is None or last.get(closer, -1) < i:
            continue
        j = i
        while marks[j][0] != closer:
            j += 1
        yield start, marks[j][2], text[end : marks[j][1]]
        i = j + 1


def opening_formula(text: str) -> str | None:
    """The formula that the text begins with, between marks, or the list of those that it joins; None: none does."""
    if not text.startswith(("$", "\\[", "\\(")):
        return None
    listed: list[str] = []
    end = 0
    for start, after, content in spans(text):
        if not content.strip() or not (_JOINT.fullmatch(text, end, start) if listed else start == 0):
            break
        listed.append(content)
        end = after
    return ", ".join(listed) or None


def whole_formula(text: str) -> str | None:
    """The formula between the marks that the text begins and ends with; None: it is none, or more than one."""
    found = list(spans(text)) if text.startswith(("$", "\\[", "\\(")) else []
    if len(found) != 1 or found[0][:2] != (0, len(text)):
        return None
    return found[0][2].strip() or None


def only_formula(sentence: str) -> str | None:
    """The one formula of a sentence that holds no digits outside of it."""
    found = list(spans(sentence))
    if len(found) != 1:
        return None
    start, end, content = found[0]
    outside = sentence[:start] + sentence[end:]
    return None if any(c.isdigit() for c in outside) else content.strip() or None


def value_of_sentence(sentence: str) -> str | None:
    """``34`` of "The largest $n$ is 34": what the sentence ends with, where that looks like a formula."""
    match = _VALUE.match(sentence) or _CONCLUDES.fullmatch(sentence)
    if not match:
        return None
    value = match["value"].strip()
    value = opening_formula(value) or value
    return value if formula_like(value) else None


def formula_like(text: str) -> bool:
    """Whether the text is mathematics and no prose: it begins as a formula, and at most one plain word stands in it."""
    text = text.strip().strip("$*` ")
    words = [word for word in _WORD.findall(text) if word.lower() not in _KNOWN]
    return bool(_BEGINS.match(text)) and len(words) <= 1
