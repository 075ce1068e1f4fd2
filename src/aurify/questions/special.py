"""A tokenizer's special tokens: which a text leaves out, and which it keeps since they are the tags of thoughts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aurify.answers.thought import thought_tokens

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


def special_tokens(tokenizer: Any) -> SpecialTokens:
    """Those of a tokenizer, found once for as long as no token is added."""
    known: tuple[int, SpecialTokens] | None = getattr(tokenizer, _NAME, None)
    size = len(tokenizer)
    if known is None or known[0] != size:
        known = size, _found(tokenizer)
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
