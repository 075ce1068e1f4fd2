"""A thought that a model writes before its reply, in tags: ``<think>...</think>``, and a reply in ``<answer>`` tags.

An answer is read from what follows the last ``</think>``. A chat template may write the opening tag itself, so a
closing one alone ends a thought too. What a thought says of the answer on its way states nothing.
"""

from __future__ import annotations

import re

from aurify.answers.reading import Unreadable

CLOSING = "</think>"
_NAMES = "think|thinking|thought|reasoning"
_TAG = re.compile(rf"<(?P<close>/?)(?:{_NAMES})>", re.IGNORECASE)
_NAMED = "answer|final_?answer|final|result"
_ANSWER = re.compile(rf"<({_NAMED})>(.*?)(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_CLOSED_ALONE = re.compile(rf"</(?:{_NAMED})>\Z", re.IGNORECASE)


def reply(text: str) -> str:
    """What a text says after its thought; of that, the content of the last ``<answer>`` that holds any.

    Raises:
        Unreadable: the thought is never closed.
    """
    tags = list(_TAG.finditer(text))
    if tags:
        if not tags[-1]["close"]:
            raise Unreadable("the thought is never closed")
        text = text[tags[-1].end() :]
    filled = [found[2] for found in _ANSWER.finditer(text) if found[2].strip()]
    if filled:
        return filled[-1]
    alone = _CLOSED_ALONE.search(text.rstrip()[-20:])  # its opening tag was the template's
    return text.rstrip()[: -len(alone[0])] if alone else text


def opened_thought(text: str) -> str:
    """The end of a text from the thought that it opens and does not close, or nothing."""
    tags = list(_TAG.finditer(text))
    return text[tags[-1].start() :] if tags and not tags[-1]["close"] else ""


def with_thought(thought: str, reply: str, *, closed: bool = True) -> str:
    """One text of a thought and the reply after it, which a server sent apart."""
    begun = f"<think>\n{thought.strip()}\n"
    return f"{begun}{CLOSING}\n\n{reply}" if closed or reply else begun
