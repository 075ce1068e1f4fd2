"""Ids that no token has: a model's vocabulary is often padded above its tokenizer's.

They are left out of the distribution, in sampling and in scoring alike: both normalise over the ids that the tokenizer
knows, so a sample stays an exact one of what is scored.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from aurify.models.prefix import causal_lm

_NAME = "_aurify_n_ids"  # an attribute, so that a copy of the model has it too; it is saved nowhere


def limit_ids(model: nn.Module, tokenizer: Any) -> None:
    """From now on the model's next token is one that the tokenizer has."""
    lm = causal_lm(model)
    n_embeddings = len(lm.get_input_embeddings().weight)
    if len(tokenizer) < n_embeddings:
        n_known = max(tokenizer.get_vocab().values(), default=-1) + 1
        if 0 < n_known < n_embeddings:
            setattr(lm, _NAME, n_known)


def n_ids(model: nn.Module) -> int | None:
    """How many ids, from 0 on, can be drawn; None: all that the model has logits of."""
    n: int | None = getattr(causal_lm(model), _NAME, None)
    return n
