"""Exact draws of tokens, each from its own sample's stream of uniforms.

A draw walks down a tree whose leaves are the tokens, eight children a node, and takes a uniform of its own at each
level. That is as exact as one uniform against the cumulative distribution of all tokens, but far steadier: noise in
the logits, from another batch shape, moves every boundary between neighbouring tokens at once, and a flat walk
crosses hundreds of them. Measured on a model of 1,152 tokens, float32 against float64: a token flips with
probability 1.9e-6, where the flat walk gives 6.8e-5 and the total variation, which no coupling beats, is 6.5e-7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from aurify.models.device import has_float64

_CHILDREN = 8
_AT_ONCE = 2**21
"""Logits that are gone through at once on a CPU: its cache holds what is made of them, 8 MB of float32 each time."""


def levels(n_tokens: int) -> int:
    """The depth of the tree over a vocabulary, which is how many uniforms a token takes."""
    depth = 1
    while _CHILDREN**depth < n_tokens:
        depth += 1
    return depth


def uniforms(seed: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The first ``n`` uniforms in [0, 1) of a seed; token t of a sample uses the t-th group, one for each level.

    Philox (Salmon et al., 2011) is counter-based: its stream depends on the key alone. 52 bits, one fewer than a
    float64 holds, so that a uniform times the sum of the weights stays below that sum after rounding.
    """
    bits = np.random.Philox(key=seed).random_raw(n)
    return np.asarray((bits >> np.uint64(12)) * 2.0**-52)


def on_device(uniforms: np.ndarray[Any, np.dtype[np.float64]], device: torch.device) -> Tensor:
    """Uniforms as draws on a device take them: where it knows no float64, in float32, rounded down to 23 bits.

    A walk with those is as exact as float32 is, and as sure to end at a token.
    """
    if has_float64(device):
        return torch.from_numpy(uniforms).to(device)
    return torch.from_numpy(np.floor(uniforms * 2.0**23) * 2.0**-23).float().to(device)


def draw_tokens(logits_RV: Tensor, uniforms_RL: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """A token a row, and its log-probability at temperature 1, whatever the temperature it is drawn at.

    ``uniforms_RL`` holds one uniform for each of the ``levels(V)`` levels, root first. At a node with weights w the
    walk goes to the first child k with w_0 + ... + w_k > u Σw. Temperature 0 takes the most likely token.
    Logits with a NaN or +inf give a NaN log-probability, which the caller must look for.
    """
    n_parts = -(-logits_RV.numel() // _AT_ONCE) if logits_RV.device.type == "cpu" else 1
    if n_parts <= 1:
        return _draw(logits_RV, uniforms_RL, temperature)
    parts = zip(logits_RV.tensor_split(n_parts), uniforms_RL.tensor_split(n_parts), strict=True)
    tokens, logprobs = zip(*(_draw(logits, us, temperature) for logits, us in parts if len(logits)), strict=True)
    return torch.cat(tokens), torch.cat(logprobs)


def _draw(logits_RV: Tensor, uniforms_RL: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    logits_RV = logits_RV.float()
    shifted_RV = logits_RV - logits_RV.amax(-1, keepdim=True)
    weights_RV = shifted_RV.exp()
    if temperature == 0.0:
        token_R = shifted_RV.argmax(-1)
    else:
        token_R = _walk(weights_RV if temperature == 1.0 else (shifted_RV / temperature).exp(), uniforms_RL)
    logprob_R = shifted_RV.gather(1, token_R[:, None])[:, 0] - weights_RV.sum(-1).log()
    return token_R, logprob_R


def _walk(weights_RV: Tensor, uniforms_RL: Tensor) -> Tensor:
    """The leaf (R,) at which each row's walk ends. A child of no weight is never taken."""
    n_rows = len(weights_RV)
    tree = []  # from the leaves up: (rows * nodes, children)
    weights_RN = weights_RV
    for _ in range(uniforms_RL.shape[1]):
        missing = -weights_RN.shape[1] % _CHILDREN
        children_RNC = (pad(weights_RN, (0, missing)) if missing else weights_RN).view(n_rows, -1, _CHILDREN)
        tree.append(children_RNC)
        weights_RN = children_RNC.sum(-1)
    rows_R = torch.arange(n_rows, device=weights_RV.device)
    node_R = torch.zeros_like(rows_R)
    for level, children_RNC in enumerate(reversed(tree)):
        at_R = torch.add(node_R, rows_R, alpha=children_RNC.shape[1])
        cumulative_RC = children_RNC.view(-1, _CHILDREN).index_select(0, at_R).cumsum(-1, dtype=uniforms_RL.dtype)
        passed_RC = cumulative_RC <= uniforms_RL[:, level, None] * cumulative_RC[:, -1:]
        node_R = torch.add(passed_RC.sum(-1), node_R, alpha=_CHILDREN)
    return node_R
