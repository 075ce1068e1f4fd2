"""What a trained NAT unit does: its weights on the negative side, by layer, by position and by token.

The weight at a token is the one with which a layer reads it: the negative adapter's share in that token's query or
value. Below 0 the unit takes away what the negative adapter knows, above 0 it adds it. Source: docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.token_weights import side_lines, spread, token_lines
from aurify.models.nat.model import dual_layers, negative_weights
from aurify.models.prefix import last_states


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
    """For unit_weights.jsonl: the distribution over all, by layer, by position and by side, then tokens and texts.

    ``positions`` count a rationale's tokens from 1, in spans that double. ``tokens`` is how many tokens a row rests
    on; a row that names no layer is over all layers.

    Args:
        weights: (L, T_n) of each example.
        decode: the text of a token id.
    """
    weights_LK = torch.cat(list(weights), 1)
    place_K = torch.cat([torch.arange(1, len(example.token_ids) + 1) for example in examples])
    lines = [{**spread(weights_LK), "tokens": len(place_K)}]
    lines += [
        {"layer": name, **spread(weights_K), "tokens": len(place_K)}
        for name, weights_K in zip(layers, weights_LK, strict=True)
    ]
    first = 1
    while first <= int(place_K.max()):
        inside_K = (place_K >= first) & (place_K < 2 * first)
        span = {"positions": [first, 2 * first - 1]}
        lines.append({**span, **spread(weights_LK[:, inside_K]), "tokens": int(inside_K.sum())})
        first *= 2
    return lines + side_lines(examples, weights) + token_lines(examples, weights, decode)


def unit_layers(model: Any) -> list[str]:
    """The names of the layers that have a unit, as in the model without its adapters."""
    return [name.removeprefix("base_model.model.") for name in dual_layers(model)]
