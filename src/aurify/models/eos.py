"""The end of a sequence: every token id that the model, its tokenizer or its chat template names for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aurify.questions.chat import turn_end

if TYPE_CHECKING:
    from torch import nn


def eos_ids(model: nn.Module, tokenizer: Any) -> frozenset[int]:
    """Every id that ends a sample: see ``ending_ids``."""
    from aurify.models.prefix import causal_lm  # torch is not imported to load a tokenizer

    lm = causal_lm(model)
    return ending_ids([getattr(lm, "generation_config", None), lm.config], tokenizer)


def ending_ids(configs: Iterable[Any], tokenizer: Any) -> frozenset[int]:
    """Every EOS id of the configurations and the tokenizer, and the token with which its chat template ends a turn.

    A base model with a chat template (Qwen2.5's) names another EOS than the template's end of a turn.
    """
    named = named_eos([*configs, tokenizer])
    end = turn_end(tokenizer, named)
    return named | (frozenset() if end is None else {end})


def named_eos(holders: Iterable[Any]) -> frozenset[int]:
    """Every ``eos_token_id`` of these: one, several or none each."""
    found: set[int] = set()
    for holder in holders:
        ids = getattr(holder, "eos_token_id", None)
        found.update(ids if isinstance(ids, (list, tuple)) else () if ids is None else (ids,))
    return frozenset(found)
