"""Where a sample ends before its end of sequence: stop strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aurify.questions.special import text_of


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in the text, or None."""
    found = [at for at in (text.find(word) for word in stop) if at >= 0]
    return min(found) if found else None


def tokens_to_stop(tokenizer: Any, token_ids: Sequence[int], stop: Sequence[str], begin: int = 0) -> int | None:
    """The fewest leading tokens whose text, from its character ``begin`` on, holds a stop string; or None."""
    if not stop or first_stop(text_of(tokenizer, token_ids)[begin:], stop) is None:
        return None
    low, high = 1, len(token_ids)
    while low < high:
        middle = (low + high) // 2
        if first_stop(text_of(tokenizer, token_ids[:middle])[begin:], stop) is None:
            low = middle + 1
        else:
            high = middle
    return low
