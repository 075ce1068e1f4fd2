"""A tokenizer's special tokens: which a text leaves out, and which it keeps since they are the tags of thoughts.

What a chat template writes around thoughts and replies may say words that no text should hold, or that close no thought
which is known (Kimi K3, Solar, Muse); a text has the tags of a thought for it, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from aurify.answers.reading import Unreadable
from aurify.answers.tags import TOLD_WORDS
from aurify.answers.thought import CLOSING, OPENING, after_thought, has_tag, reply, thought_tokens, told_open
from aurify.errors import AurifyError
from aurify.questions.chat import REASONS, REPLY, ChatTemplate, program

_NAME = "_aurify_special"
_TAG = re.compile(r"[^\w\s].*\w.*[^\w\s]")
"""A word between marks. Gemma has line breaks among its added tokens, and others have words."""


@dataclass(frozen=True)
class SpecialTokens:
    """All that a tokenizer does not read as text."""

    spelled: frozenset[str] = frozenset()
    """All of them that are special by name."""
    loose: frozenset[str] = frozenset()
    """Other added tokens that look like tags. R1's distills have ``<｜User｜>`` among these."""
    loose_thoughts: frozenset[str] = frozenset()
    """Those of them that spell the tags of thoughts."""
    hidden: frozenset[int] = frozenset()
    """The ids of those that a text leaves out."""
    thoughts: Mapping[str, int] = field(default_factory=dict)
    """The ids of those that spell the tags of thoughts: most models write such tags as ordinary tokens."""
    written: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    """What the chat template writes around thoughts and replies, and what a text has for it; the longest first."""
    told: bool = False
    """Whether the chat template asks for a thought in words (Granite 3.2), which a text opens with a tag if no reply
    follows."""


def text_of(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """The text of some tokens, special ones left out but for the tags of thoughts, spaces as they are."""
    special = special_tokens(tokenizer)
    text = _text(tokenizer, token_ids, special)
    return OPENING + text if special.told and told_open(text) else text


def _text(tokenizer: Any, token_ids: Sequence[int], special: SpecialTokens) -> str:
    ids = list(token_ids)
    for written, shown in special.written.items():
        ids = _replaced(ids, written, _ids(tokenizer, shown))
    ids = [token for token in ids if token not in special.hidden] if special.thoughts else ids
    text: str = tokenizer.decode(ids, skip_special_tokens=not special.thoughts, clean_up_tokenization_spaces=False)
    return text


def special_tokens(tokenizer: Any) -> SpecialTokens:
    """Those of a tokenizer, found once for as long as no token is added, and its chat template is the same."""
    known: tuple[object, SpecialTokens] | None = getattr(tokenizer, _NAME, None)
    state = len(tokenizer), getattr(tokenizer, "chat_template", None)
    if known is None or known[0] != state:
        special = _found(tokenizer)
        if state[1]:
            told = all(words in program(tokenizer) for words in TOLD_WORDS)
            special = replace(special, written=_written(tokenizer, special), told=told)
        known = state, special
        with suppress(AttributeError):
            setattr(tokenizer, _NAME, known)
    return known[1]


def _found(tokenizer: Any) -> SpecialTokens:
    """``all_special_tokens`` names only those with a role (EOS, ...)."""
    ids = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    added = getattr(tokenizer, "added_tokens_decoder", {}).items()
    ids |= {token.content: number for number, token in added if token.special}
    kept = thought_tokens(ids)
    loose = frozenset(token.content for _, token in added if token.content not in ids and _TAG.fullmatch(token.content))
    return SpecialTokens(
        spelled=frozenset(ids),
        loose=loose,
        loose_thoughts=thought_tokens(loose.union(ids)) & loose,
        hidden=frozenset(number for token, number in ids.items() if token not in kept),
        thoughts={token: ids[token] for token in sorted(kept)},
    )


def _written(tokenizer: Any, special: SpecialTokens) -> dict[tuple[int, ...], str]:
    """What the template writes that a text could not be read with, and what stands for it."""
    chat = ChatTemplate(tokenizer)

    def plain(text: str) -> str:
        return _text(tokenizer, _ids(tokenizer, text), special)

    try:
        opening, lead, before, between, ending = chat.opening, chat.lead, chat.before, chat.between, chat.ending
    except AurifyError:
        return {}
    found: dict[str, str] = {}
    if between and not _is_read(opening + plain(before), plain(between)):
        found = {before: OPENING, between: CLOSING}
    inner = ending.removesuffix(str(tokenizer.convert_ids_to_tokens(chat.end_id))) if ending else ""
    for silent in (lead, inner):
        if plain(silent).strip() and not has_tag(plain(silent)):
            found.setdefault(silent, "")
    pairs = {tuple(_ids(tokenizer, text)): shown for text, shown in found.items() if text.strip()}
    return dict(sorted(pairs.items(), key=lambda pair: -len(pair[0])))


def _is_read(head: str, between: str) -> bool:
    """Whether a thought is known to be one, and the reply behind it for what it is."""
    try:
        after_thought(head + REASONS)
    except Unreadable:
        with suppress(Unreadable):
            return reply(head + REASONS + between + REPLY).strip() == REPLY
    return False


def _replaced(ids: list[int], old: Sequence[int], new: Sequence[int]) -> list[int]:
    """The ids with ``new`` for every ``old``."""
    found: list[int] = []
    place, size = 0, len(old)
    while place < len(ids):
        if ids[place] == old[0] and tuple(ids[place : place + size]) == tuple(old):
            found += new
            place += size
        else:
            found.append(ids[place])
            place += 1
    return found


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []
