r"""The options of a question: how they are written under it, and how they are found in its text again.

This is the one truth about options: prompts show what ``with_options`` writes, and every reader of answers asks
``options``. Files of others write them as lines ``(A) four``, as lines ``A. four`` or ``A) four``, in one line
``(A) 4 (B) 5 (C) 6``, or in LaTeX, ``\textbf{(A)}\ 4\qquad\textbf{(B)}\ 5`` (AMC and its like).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_HEADING = re.compile(r"^(?:Options|Answer choices):", re.MULTILINE | re.IGNORECASE)
_LINE = re.compile(r"^[ \t]*\(([A-Za-z])\)[ \t]*([^\n]*(?:\n    [^\n]*)*)", re.MULTILINE)
_WRAP = r"\\(?:text|textbf|textrm|mathrm|mathbf|rm|bf)"
_MARKS = (
    re.compile(r"^[ \t]*([A-Z])[.):][ \t]+(?=\S)", re.MULTILINE),
    re.compile(
        rf"{_WRAP}\s?\{{\s?\(?([A-Z])\s?[).:][\s\\]{{0,4}}\}}|\({_WRAP}\s?\{{([A-Z])\}}\s?\)|\{{{_WRAP}\s?\(?([A-Z])\)\}}"
    ),
    re.compile(r"(?<![\w\\])\(([A-Z])\)[ \t]+(?=[^\s,.;:)])"),
    re.compile(r"(?<!\S)([A-Z])\)[ \t]+(?=[^\s,.;:)])"),
)
"""What opens an option, where they stand in no lines of their own."""
_FEWEST = (2, 2, 3, 3)
"""How many options each of these marks must open, from A on without a gap, to be believed."""
_GLUE = re.compile(r"\\q?quad(?![a-z])|\\hspace\*?\{[^{}]*\}|\\[ ,;:!]|\\\\|~|(?<!\\)\$|&")
_NO_OPTION = {"and", "or", "to", "is", "are", "was", "were", "has", "have", "then", "does", "do", "but"}
"""What begins no option: the question speaks of (A) and (B) in its sentences."""


def options(question: str) -> dict[str, str]:
    """The options of a question, letter to text, those after ``Options:`` where that stands.

    The first of a repeated letter counts. A question that merely speaks of (A) and (B) has none.
    """
    after = question[[0, *(found.end() for found in _HEADING.finditer(question))][-1] :]
    found: dict[str, str] = {}
    for match in _LINE.finditer(after):
        found.setdefault(match[1].upper(), match[2].strip())
    if found:
        return found
    for mark, fewest in zip(_MARKS, _FEWEST, strict=True):
        found = dict(_marked(after, mark))
        if len(found) >= fewest and not _NO_OPTION & {text.partition(" ")[0].lower() for text in found.values()}:
            return found
    return {}


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


def _marked(text: str, mark: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """The texts that such marks open, A first and without a gap; the last ends with its line."""
    found: list[re.Match[str]] = []
    for match in mark.finditer(text):
        if len(found) < len(LETTERS) and _letter(match) == LETTERS[len(found)]:
            found.append(match)
    for match, following in zip(found, [*found[1:], None], strict=False):
        rest = text[match.end() : following.start() if following else len(text)]
        yield _letter(match), " ".join(_GLUE.sub(" ", rest if following else rest.partition("\n")[0]).split())


def _letter(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)
