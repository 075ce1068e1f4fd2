"""A tokenizer's special tokens: which a text leaves out, and which it keeps since they are the tags of thoughts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aurify.answers.thought import thought_tokens

_NAME = "_aurify_special"


@dataclass(frozen=True)
class SpecialTokens:
    """All that a tokenizer does not read as text."""

    spelled: frozenset[str] = frozenset()
    """All of them."""
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
    return SpecialTokens(
        frozenset(ids),
        frozenset(number for token, number in ids.items() if token not in kept),
        {token: ids[token] for token in sorted(kept)},
    )
