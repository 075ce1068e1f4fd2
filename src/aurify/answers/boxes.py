"""Boxes of LaTeX: where each begins and ends, and which of them are one list."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aurify.answers.wrapped import MACRO

BOX = r"\\(?:f|frame)?box(?:ed)?(?![a-zA-Z])[ \t]{0,3}"
"""The macro that makes one."""
_TOKEN = re.compile(r"(?:\\[a-zA-Z]+)?[^\s$.,\\]+")
_BRACE = re.compile(r"\\?[{}]")
_JOINT = re.compile(
    r"(?:[\s,$;]|\\[,;! ()\[\]]|\\q?quad|~|and\b|or\b|" + MACRO + r"\{\s?(?:and|or|,)\s?\}"
    r"|[a-zA-Z](?:_\{?\w\}?)?\s?=)*"
)
_JOINS = re.compile(r"[,;]|\band\b|\bor\b|quad")
_LONGEST_JOINT = 60


@dataclass(frozen=True)
class Box:
    """Where a box starts and ends, and where its content does."""

    start: int
    begin: int
    finish: int
    end: int


def box_at(text: str, marker: re.Match[str], closing: dict[int, int]) -> Box:
    """A box by its braces; ``\\boxed 2$`` holds a token; an open one nothing."""
    start = marker.end()
    if not text.startswith("{", start):
        token = _TOKEN.match(text, start)
        end = token.end() if token else start
        return Box(marker.start(), start, end, end)
    finish = closing.get(start, start + 1)
    return Box(marker.start(), start + 1, finish, finish + 1)


def closing_braces(text: str) -> dict[int, int]:
    """Where every brace that is closed is closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            found[opened.pop()] = brace.start()
    return found


def are_joined(text: str, end: int, start: int) -> bool:
    """Whether nothing but a comma, an "and" or a name stands between two boxes of one list."""
    if not 0 <= start - end <= _LONGEST_JOINT:
        return False
    between = text[end:start]
    return between.count("\n") < 2 and bool(_JOINT.fullmatch(between)) and bool(_JOINS.search(between))


def listed(text: str, boxes: list[Box]) -> str:
    """What joined boxes hold, as one list; in brackets where the text has them around it."""
    contents = ", ".join(dict.fromkeys(text[box.begin : box.finish].strip() for box in boxes))
    pair = len(boxes) > 1 and text.endswith("(", 0, boxes[0].start) and text.startswith(")", boxes[-1].end)
    return f"({contents})" if pair else contents
