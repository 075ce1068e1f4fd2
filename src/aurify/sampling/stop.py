"""Where a sample ends before its end of sequence: stop strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def decode(tokenizer: Any, token_ids: Sequence[int]) -> str:
    """The text of some tokens, special ones left out, spaces as they are."""
    text: str = tokenizer.decode(list(token_ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in the text, or None."""
    found = [at for at in (text.find(word) for word in stop) if at >= 0]
    return min(found) if found else None


def tokens_to_stop(tokenizer: Any, token_ids: Sequence[int], stop: Sequence[str]) -> int | None:
    """The fewest leading tokens whose text holds a stop string, or None."""
    if not stop or first_stop(decode(tokenizer, token_ids), stop) is None:
        return None
    low, high = 1, len(token_ids)
    while low < high:
        middle = (low + high) // 2
        if first_stop(decode(tokenizer, token_ids[:middle]), stop) is None:
            low = middle + 1
        else:
            high = middle
    return low
