"""Where a sample ends: every end-of-sequence id that the model or its tokenizer names, and stop strings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from aurify.models.prefix import causal_lm
from aurify.questions.chat import turn_end


def eos_ids(model: nn.Module, tokenizer: Any) -> frozenset[int]:
    """Every id that ends a sample: see ``ending_ids``."""
    lm = causal_lm(model)
    return ending_ids([getattr(lm, "generation_config", None), lm.config], tokenizer)


def ending_ids(configs: Iterable[Any], tokenizer: Any) -> frozenset[int]:
    """Every EOS id of the configurations and the tokenizer, and the token with which its chat template ends a turn.

    A base model with a chat template (Qwen2.5's) names another EOS than the template's end of a turn.
    """
    end = turn_end(tokenizer)
    return named_eos([*configs, tokenizer]) | (frozenset() if end is None else {end})


def named_eos(holders: Iterable[Any]) -> frozenset[int]:
    """Every ``eos_token_id`` of these: one, several or none each."""
    found: set[int] = set()
    for holder in holders:
        ids = getattr(holder, "eos_token_id", None)
        found.update(ids if isinstance(ids, (list, tuple)) else () if ids is None else (ids,))
    return frozenset(found)


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
