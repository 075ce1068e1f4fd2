"""What a trained NAT unit does: its weights on the negative side, by layer, by position and by token.

The weight at a token is the one with which a layer reads it: the negative adapter's share in that token's query or
value. Below 0 the unit takes away what the negative adapter knows, above 0 it adds it. Source: docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.nce import spread
from aurify.models.nat.model import dual_layers, negative_weights
from aurify.models.prefix import last_states

MOST_EXAMPLES = 256
"""The most rationales that are looked at."""
NAMED_TOKENS = 20
"""Tokens that are named on either side,"""
LEAST_SEEN = 5
"""of those that stand in the rationales at least this often."""


READ = 6
"""Rationales whose every token is told."""


def evenly_spread(examples: Sequence[Example]) -> list[Example]:
    """At most ``MOST_EXAMPLES`` of them, evenly spread."""
    return list(examples[:: max(1, -(-len(examples) // MOST_EXAMPLES))])


@torch.no_grad()
def find_unit_weights(scorer: ExampleScorer, examples: Sequence[Example]) -> list[Tensor]:
    """The weights (L, T_n) of every layer at every rationale token of each example; the model is in mode "both"."""
    found: list[Tensor] = [torch.empty(0)] * len(examples)
    for indices, sequences in scorer.batches(examples):
        ids_NC = scorer.padded(sequences)
        with negative_weights(scorer.model) as seen, scorer.precision():
            last_states(scorer.model, ids_NC, attention_mask=torch.ones_like(ids_NC), use_cache=False)
        weights_LNC = torch.stack([torch.cat(parts) for parts in seen.values()])
        for row, (index, (prompt, ids)) in enumerate(zip(indices, sequences, strict=True)):
            found[index] = weights_LNC[:, row, len(prompt) : len(prompt) + len(ids)].float().cpu()
    return found


def unit_weight_lines(
    layers: Sequence[str], examples: Sequence[Example], weights: Sequence[Tensor], decode: Callable[[int], str]
) -> list[dict[str, Any]]:
    """For unit_weights.jsonl: the distribution over all, by layer and by position, the most extreme tokens, some texts.

    ``positions`` count a rationale's tokens from 1, in spans that double. ``tokens`` is how many tokens a row rests
    on; a row that names no layer is over all layers.

    Args:
        weights: (L, T_n) of each example.
        decode: the text of a token id.
    """
    weights_LK = torch.cat(list(weights), 1)
    ids_K = torch.tensor([token for example in examples for token in example.token_ids])
    place_K = torch.cat([torch.arange(1, len(example.token_ids) + 1) for example in examples])
    lines = [{**spread(weights_LK), "tokens": len(ids_K)}]
    lines += [
        {"layer": name, **spread(weights_K), "tokens": len(ids_K)}
        for name, weights_K in zip(layers, weights_LK, strict=True)
    ]
    first = 1
    while first <= int(place_K.max()):
        inside_K = (place_K >= first) & (place_K < 2 * first)
        span = {"positions": [first, 2 * first - 1]}
        lines.append({**span, **spread(weights_LK[:, inside_K]), "tokens": int(inside_K.sum())})
        first *= 2
    return lines + _extremes(ids_K, weights_LK.mean(0), decode) + _read(examples, weights, decode)


def unit_layers(model: Any) -> list[str]:
    """The names of the layers that have a unit, as in the model without its adapters."""
    return [name.removeprefix("base_model.model.") for name in dual_layers(model)]


def _extremes(ids_K: Tensor, mean_K: Tensor, decode: Callable[[int], str]) -> list[dict[str, Any]]:
    """The tokens of the least mean weight, least first, then those of the greatest, greatest last."""
    tokens, place_K, counts = np.unique(ids_K.numpy(), return_inverse=True, return_counts=True)
    means = np.bincount(place_K, mean_K.double().numpy()) / counts
    often = [i for i in means.argsort() if counts[i] >= LEAST_SEEN]
    chosen = often if len(often) <= 2 * NAMED_TOKENS else often[:NAMED_TOKENS] + often[-NAMED_TOKENS:]
    return [
        {"token": decode(int(tokens[i])), "id": int(tokens[i]), "mean": float(means[i]), "tokens": int(counts[i])}
        for i in chosen
    ]


def _read(examples: Sequence[Example], weights: Sequence[Tensor], decode: Callable[[int], str]) -> list[dict[str, Any]]:
    """A few rationales, evenly spread, token by token, each with its weight averaged over layers."""
    chosen = range(0, len(examples), max(1, -(-len(examples) // READ)))
    return [
        {
            "question_id": examples[i].question_id,
            "right": examples[i].right,
            "text": [decode(token) for token in examples[i].token_ids],
            "weights": [round(weight, 4) for weight in weights[i].mean(0).tolist()],
        }
        for i in chosen
    ]
