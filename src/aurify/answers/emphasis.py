"""A statement in bold or italics as a whole: ``**Answer: Paris**``, ``_The answer is Yes._``, ``Answer: **Yes.**``."""

from __future__ import annotations

import re

_RUN = re.compile(r"\*{1,3}|(?<![A-Za-z0-9])_{1,3}|_{1,3}(?![A-Za-z0-9])")
_SENTENCE = re.compile(r"\s{0,9}(\*{1,3}|_{1,3})(?=\S)([^*_\n]{1,400}[.!?])\1(?=\s|\Z)")
"""A whole sentence in emphasis, which ends before the words behind it."""
_JOINED = re.compile(r"\s?(?:,\s?)?(?:(?:and|or|nor|but|not)\b|[/&+])")


def within_emphasis(before: str, answer: str) -> str:
    """The answer up to where the emphasis ends that was opened before it, or with it and holds a whole sentence.

    Args:
        before: the line that states the answer, up to it.
        answer: what follows.
    """
    opened = ""
    for run in _RUN.finditer(before):
        if run[0] == opened:
            opened = ""
        elif (
            not opened and not before[run.end() : run.end() + 1].isspace() and not before[: run.start()][-1:].isalnum()
        ):
            opened = run[0]
    if not opened:
        sentence = _SENTENCE.match(answer)
        return sentence[2] if sentence else answer
    line, _, _ = answer.partition("\n")
    closing = next((run for run in _RUN.finditer(line) if run[0] == opened and _closes(line, run)), None)
    return answer[: closing.start()] if closing and not _JOINED.match(line, closing.end()) else answer


def _closes(line: str, run: re.Match[str]) -> bool:
    return not line[: run.start()][-1:].isspace() and not line[run.end() : run.end() + 1].isalnum()
