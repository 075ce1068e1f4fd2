"""Log-probabilities of chosen tokens from hidden states, with never a tensor of tokens by vocabulary in large."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

PLAIN_LOGITS = 2**24
"""Up to this many logits the plain way is the fastest, and its memory does not matter."""
CHUNK_LOGITS = 2**22
"""Logits at a time beyond that."""


def target_logprobs(
    states_KE: Tensor,
    head_VE: Tensor,
    bias_V: Tensor | None,
    target_K: Tensor,
    *,
    plain: int = PLAIN_LOGITS,
    chunk: int = CHUNK_LOGITS,
) -> Tensor:
    """log softmax(states W^T + b) at each target, (K,) in float32; differentiable.

    Beyond ``plain`` logits by torch's chunked linear cross-entropy, which takes any signed weights of the tokens, or
    where torch is older by chunks that are computed again in the backward pass.
    """
    if len(states_KE) * len(head_VE) <= plain:
        return _plain(states_KE, head_VE, bias_V, target_K)
    rows = max(1, chunk // len(head_VE))
    mixed = torch.is_autocast_enabled(states_KE.device.type)
    if hasattr(functional, "linear_cross_entropy") and states_KE.dtype == torch.float32 and not mixed:
        losses_K: Tensor = functional.linear_cross_entropy(
            states_KE,
            head_VE,
            target_K,
            linear_bias=bias_V,
            reduction="none",
            # By itself torch takes fewer rows the larger the vocabulary is by the width: one, for a small model's.
            options=torch.nn.LinearCrossEntropyOptions(batch_chunk_size=rows),
        )
        return -losses_K
    if (
        mixed and not head_VE.requires_grad
    ):  # autocast keeps no cast of a frozen weight: it would cast it for every chunk
        head_VE = head_VE.to(torch.get_autocast_dtype(states_KE.device.type))
    parts = [
        checkpoint(_plain, states, head_VE, bias_V, target, use_reentrant=False)
        for states, target in zip(torch.split(states_KE, rows), torch.split(target_K, rows), strict=True)
    ]
    return torch.cat(parts)


def _plain(states_KE: Tensor, head_VE: Tensor, bias_V: Tensor | None, target_K: Tensor) -> Tensor:
    logits_KV = functional.linear(states_KE, head_VE, bias_V).float()
    return -functional.cross_entropy(logits_KV, target_K, reduction="none")
