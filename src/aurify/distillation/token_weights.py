"""How weights of rationales' tokens are told: their spread, the tokens of the most extreme ones, and a few texts.

The weights are those of a NAT unit on its negative side, layer by layer, or NCE's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.distillation.examples import Example

NAMED_TOKENS = 20
"""Tokens that are named on either side,"""
LEAST_SEEN = 5
"""of those that stand in the rationales at least this often."""
READ = 6
"""Rationales whose every token is told."""

MOST_EXAMPLES = 64
"""The most rationales whose weights are written down: each takes a forward pass."""


def evenly_spread(examples: Sequence[Example]) -> list[Example]:
    """At most ``MOST_EXAMPLES`` of them, evenly spread."""
    return list(examples[:: max(1, -(-len(examples) // MOST_EXAMPLES))])


def spread(weights: Tensor) -> dict[str, Any]:
    """Quantiles and mean of some weights of any shape, at least one."""
    # Sorted and indexed, since torch.quantile refuses more than 2^24 values.
    ordered = weights.flatten().sort().values
    at = {f"{mark:g}": round(mark * (len(ordered) - 1)) for mark in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)}
    quantiles = {mark: round(float(ordered[index]), 6) for mark, index in at.items()}
    return {"quantiles": quantiles, "mean": float(ordered.mean())}


def side_lines(examples: Sequence[Example], weights: Sequence[Tensor]) -> list[dict[str, Any]]:
    """The spread over right rationales, and over wrong ones, where there are both; ``weights`` (..., T_n) each."""
    sides = {
        right: [weight for example, weight in zip(examples, weights, strict=True) if example.right is right]
        for right in (True, False)
    }
    if not all(sides.values()):
        return []
    return [
        {"right": right, **spread(torch.cat(own, -1)), "tokens": sum(weight.shape[-1] for weight in own)}
        for right, own in sides.items()
    ]


def token_lines(
    examples: Sequence[Example], weights: Sequence[Tensor], decode: Callable[[int], str]
) -> list[dict[str, Any]]:
    """The tokens of the most extreme weights, then some rationales token by token; averaged over layers.

    Args:
        weights: (L, T_n) of each example, L layers or 1.
        decode: the text of a token id.
    """
    ids_K = torch.tensor([token for example in examples for token in example.token_ids])
    mean_K = torch.cat([weights_LT.mean(0) for weights_LT in weights])
    return _extremes(ids_K, mean_K, decode) + _read(examples, weights, decode)


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
