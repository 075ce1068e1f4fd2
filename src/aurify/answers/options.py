r"""The options of a question: how they are written under it, and how they are found in its text again.

This is the one truth about options: prompts show what ``with_options`` writes, and every reader of answers asks
``options``. Files of others write them as lines ``(A) four``, as lines ``A. four``, ``a) four`` or ``- **A.** four``,
in one line ``(A) 4 (B) 5 (C) 6``, or in LaTeX, ``\textbf{(A)}\ 4\qquad\textbf{(B)}\ 5`` (AMC and its like).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_HEADING = re.compile(r"^(?:Options|Answer choices):", re.MULTILINE | re.IGNORECASE)
_BULLET = r"^[ \t]*(?:[-*•][ \t]+)?(?P<bold>\*\*)?"
_LINE = re.compile(rf"{_BULLET}\(([A-Za-z])\)[ \t]*([^\n]*(?:\n    [^\n]*)*)", re.MULTILINE)
_WRAP = r"\\(?:text|textbf|textrm|mathrm|mathbf|rm|bf)"
_ROUND = r"(?<![\w\\])\(([{}])\)(?:[ \t]+(?=[^\s,.;:)])|(?=[\w$\\]))"
_HALF_ROUND = r"(?<!\S)([{}])\)[ \t]+(?=[^\s,.;:)])"


class _Mark(NamedTuple):
    """What opens an option, where options stand in no lines ``(A) ...`` of their own."""

    pattern: re.Pattern[str]
    fewest: int
    """How many options it must open, from A on without a gap, to be believed."""
    begins: bool = False
    """Whether the first must begin a line, or follow the heading."""


_MARKS = (
    _Mark(re.compile(rf"{_BULLET}([A-Z])[.):](?:\*\*)?[ \t]+(?=\S)", re.MULTILINE), 2),
    _Mark(re.compile(rf"{_BULLET}([a-z])[.)](?:\*\*)?[ \t]+(?=\S)", re.MULTILINE), 2),
    _Mark(
        re.compile(
            rf"{_WRAP}\s?\{{\s?\(?([A-Z])\s?[).:][\s\\]{{0,4}}\}}|\({_WRAP}\s?\{{([A-Z])\}}\s?\)"
            rf"|\{{{_WRAP}\s?\(?([A-Z])\)\}}"
        ),
        2,
    ),
    _Mark(re.compile(_ROUND.format("A-Z")), 3),
    _Mark(re.compile(_HALF_ROUND.format("A-Z")), 3),
    *(_Mark(re.compile(_ROUND.format(letters)), 2, begins=True) for letters in ("A-Z", "a-z")),
    *(_Mark(re.compile(_HALF_ROUND.format(letters)), 2, begins=True) for letters in ("A-Z", "a-z")),
)
_DOTTED = _Mark(re.compile(r"(?<!\S)([A-Z])\.[ \t]+(?=\S)"), 2, begins=True)
"""``A. 4 B. 5``: behind a heading alone, since names are written so too."""
_GLUE = re.compile(r"\\q?quad(?![a-z])|\\hspace\*?\{[^{}]*\}|\\[ ,;:!]|\\\\|~|(?<!\\)\$|&")
_NO_OPTION = {"and", "or", "to", "is", "are", "was", "were", "has", "have", "then", "does", "do", "but"}
"""What begins no option: the question speaks of (A) and (B) in its sentences."""


def options(question: str) -> dict[str, str]:
    """The options of a question, letter to text, those after ``Options:`` where that stands.

    The first of a repeated letter counts. A question that merely speaks of (A) and (B) has none.
    """
    heading = [0, *(found.end() for found in _HEADING.finditer(question))][-1]
    after = question[heading:]
    lines: dict[str, str] = {}
    for match in _LINE.finditer(after):
        lines.setdefault(_letter(match), _plain(match[3], match))
    if len(lines) > 1 and "".join(lines) in LETTERS:
        return lines
    for mark in (*_MARKS, _DOTTED) if heading else _MARKS:
        found = dict(_marked(after, mark))
        enough = len(found) >= mark.fewest and len(found) > len(lines)
        if enough and not _NO_OPTION & {text.partition(" ")[0].lower() for text in found.values()}:
            return found
    return lines


def with_options(question: str, texts: Sequence[str]) -> str:
    """The question with its options in lines ``(A) text`` under it, unless it lists them already."""
    listed = options(question)
    if len(listed) == len(texts) and all(map(_alike, listed.values(), texts)):
        return question
    lines = [
        f"({letter}) " + "\n    ".join(text.strip().splitlines())
        for letter, text in zip(LETTERS, texts, strict=False)
    ]  # fmt: skip
    return "\n".join([question.rstrip(), "Options:", *lines])


def without_options(question: str) -> str:
    """The question before its heading ``Options:``, as files name it that hold the options apart."""
    headings = list(_HEADING.finditer(question))
    return question[: headings[-1].start()].rstrip() if headings else question


def _alike(a: str, b: str) -> bool:
    return " ".join(_GLUE.sub(" ", a).split()).casefold() == " ".join(_GLUE.sub(" ", b).split()).casefold()


def _marked(text: str, mark: _Mark) -> Iterator[tuple[str, str]]:
    """The texts that such marks open, A first and without a gap; the last ends with its line."""
    found: list[re.Match[str]] = []
    for match in mark.pattern.finditer(text):
        if len(found) < len(LETTERS) and _letter(match) == LETTERS[len(found)]:
            if mark.begins and not found and text[: match.start()].rpartition("\n")[2].strip(" \t-*•"):
                continue
            found.append(match)
    for match, following in zip(found, [*found[1:], None], strict=False):
        rest = text[match.end() : following.start() if following else len(text)]
        yield (
            _letter(match),
            _plain(" ".join(_GLUE.sub(" ", rest if following else rest.partition("\n")[0]).split()), match),
        )


def _plain(text: str, mark: re.Match[str]) -> str:
    """The text of an option without the bold that its mark opened, and closed there or behind the text."""
    text = text.strip()
    return text.removeprefix("**").removesuffix("**").strip() if mark.groupdict().get("bold") else text


def _letter(mark: re.Match[str]) -> str:
    return next(group for group in mark.groups() if group and group != "**").upper()
