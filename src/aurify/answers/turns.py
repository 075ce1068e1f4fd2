"""Where a model that was not stopped goes on with a further problem or speaks for the other side."""

from __future__ import annotations

import re
from collections.abc import Callable

_TASK = r"(?:problem|exercise|question|example|task|puzzle)"
_FURTHER = re.compile(
    r"(?P<turn></s>|<eos>|<\|[a-z_]{2,24}\|>|<(?:start|end)_of_turn>|\[/?INST\]"
    r"|^[ \t#*_>]{0,8}(?:user|human|student|customer)[*_]{0,3}[ \t]?:"
    r"|^[ \t]{0,4}\#{1,6}[ \t]*[*_]{0,2}(?:instruction|input|user|human|response|system|assistant)s?\b"
    r"|^[ \t*_]{0,4}(?:user|human|system|assistant)[*_ \t]{0,4}$)"
    r"|(?P<problem>(?-i:(?<![A-Za-z0-9])(?:Q|Question)\s?\d{0,4}\s?:)"
    r"|^[ \t#*_>]{0,8}(?-i:Q)\s?\d{0,4}[.)][ \t]"
    r"|^[ \t#*_>]{0,8}(?:instructions?|input)[*_]{0,3}[ \t]?:"
    rf"|^[ \t#*_>]{{0,8}}(?:(?:next|new|another|further)[ \t])?{_TASK}[ \t]?(?:\#?\d{{1,4}})?[*_]{{0,3}}[ \t]?:"
    rf"|^[ \t#*_>]{{0,8}}(?:(?:next|new|another|further)[ \t])?{_TASK}[ \t]\#?\d{{1,4}}[*_]{{0,3}}(?:[.)]|[ \t]*$)"
    rf"|^[ \t]{{0,4}}\#{{1,6}}[ \t]*[*_]{{0,2}}(?:(?:next|new|another|further)[ \t])?{_TASK}[*_ \t]{{0,4}}$"
    rf"|^[ \t#*_>]{{0,8}}(?:next|new|another)[ \t]{_TASK}[*_ \t]{{0,4}}$)",
    re.IGNORECASE | re.MULTILINE,
)


def before_next_problem(text: str, stated_at: int | None, is_answer: Callable[[str], bool]) -> str:
    """The text up to the next problem or the next speaker's turn. Linear in the length of the text.

    A problem that the text begins with is its own. So is one that it restates before it answers: a heading such as
    ``Problem:`` counts as the next one only behind a stated answer (from ``stated_at`` on), or behind a bare one.
    """
    for further in _FURTHER.finditer(text):
        head = text[: further.start()].strip() if further.start() < _SHORT else "..."
        if not head:
            continue
        behind = stated_at is not None and stated_at <= further.start()
        if behind or further["turn"] or (further.start() < _SHORT and is_answer(head)):
            return text[: further.start()]
    return text


_SHORT = 200
"""What stands before the next problem is a bare answer only where it is shorter, in characters."""
