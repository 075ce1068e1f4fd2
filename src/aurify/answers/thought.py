"""A thought that a model writes before its reply, in tags: ``<think>...</think>``, and a reply in ``<answer>`` tags.

An answer is read from what follows the last ``</think>``. A chat template may write the opening tag itself, so a
closing one alone ends a thought too. What a thought says of the answer on its way states nothing.

``tags`` holds the tags that families of models have.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from aurify.answers.reading import Unreadable
from aurify.answers.tags import REPLY_END, THOUGHT_TAG, THOUGHT_TOKEN, TOLD_REPLY, TOLD_THOUGHT, with_boxes

OPENING, CLOSING = "<think>", "</think>"
_NAMED = "answer|final_?answer|final|result"
_ANSWER = re.compile(rf"<({_NAMED})>(.*?)(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_CLOSED_ALONE = re.compile(rf"</(?:{_NAMED})>\Z", re.IGNORECASE)


def reply(text: str) -> str:
    """What a text says after its thought; of that, the content of the last ``<answer>`` that holds any.

    Raises:
        Unreadable: the thought is never closed.
    """
    text = with_boxes(REPLY_END.split(after_thought(text), maxsplit=1)[0])
    tagged = in_answer_tags(text)
    if tagged is not None:
        return tagged
    alone = _CLOSED_ALONE.search(text.rstrip()[-20:])  # its opening tag was the template's
    return text.rstrip()[: -len(alone[0])] if alone else text


def after_thought(text: str) -> str:
    """What follows the thought of a text, where it holds one.

    Raises:
        Unreadable: the thought is never closed.
    """
    tag = _last(THOUGHT_TAG, text)
    if tag is None:
        told = _last(TOLD_REPLY, text) if TOLD_THOUGHT.match(text) else None
        return text[told.end() :] if told else text
    if not tag["close"]:
        raise Unreadable("the thought is never closed")
    return text[tag.end() :]


def told_open(text: str) -> bool:
    """Whether a text begins a thought in Granite 3.2's words, and no reply."""
    return TOLD_THOUGHT.match(text) is not None and TOLD_REPLY.search(text) is None


def in_answer_tags(text: str) -> str | None:
    """The content of the last ``<answer>`` that holds any; None: there is none."""
    return next((found[2] for found in reversed(list(_ANSWER.finditer(text))) if found[2].strip()), None)


def parted(text: str) -> tuple[str, str, str] | None:
    """A text's thought, the tag that closes it, and what follows; without the tag that opens it.

    What is not closed has no tag behind it. None: the text has no thought, or says something before it.
    """
    tags = list(THOUGHT_TAG.finditer(text))
    opened = bool(tags) and not tags[0]["close"]
    if not tags or (opened and text[: tags[0].start()].strip()):
        return None
    begin = tags[0].end() if opened else 0
    if not tags[-1]["close"]:
        return text[begin:], "", ""
    return text[begin : tags[-1].start()], tags[-1][0], text[tags[-1].end() :]


def opened_thought(text: str) -> str:
    """The end of a text from the thought that it opens and does not close, or nothing."""
    tag = _last(THOUGHT_TAG, text)
    return text[tag.start() :] if tag and not tag["close"] else ""


def last_thought(text: str) -> str:
    """The end of a text from the last thought that it opens, closed or not, or nothing."""
    starts = [tag.start() for tag in THOUGHT_TAG.finditer(text) if not tag["close"]]
    return text[starts[-1] :] if starts else ""


def closes_thought(text: str) -> bool:
    """Whether the last tag of a thought in a text closes it."""
    tag = _last(THOUGHT_TAG, text)
    return tag is not None and tag["close"] is not None


def has_tag(text: str) -> bool:
    """Whether a text opens or closes a thought anywhere."""
    return THOUGHT_TAG.search(text) is not None


def thought_tokens(special: Collection[str]) -> frozenset[str]:
    """Those of a tokenizer's special tokens that spell the tags of thoughts, so that a text must keep them."""
    found = {token: match for token in special if (match := THOUGHT_TOKEN.fullmatch(token))}
    channels = "<|channel|>" in special  # without them an <|end|> is the end of a turn
    return frozenset(token for token, match in found.items() if channels or not match["channels"])


def with_thought(thought: str, reply: str, *, closed: bool = True) -> str:
    """One text of a thought and the reply after it, which a server sent apart."""
    begun = f"{OPENING}\n{thought.strip()}\n"
    return f"{begun}{CLOSING}\n\n{reply}" if closed or reply else begun


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(reversed(list(pattern.finditer(text))), None)
