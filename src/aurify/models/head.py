"""Log-probabilities of chosen tokens from hidden states, with never a tensor of tokens by vocabulary in large."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
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

    Beyond ``plain`` logits in parts: where the output layer is frozen, each part's gradient is found beside its values
    (``_FrozenHead``); where it is trained, by torch's chunked linear cross-entropy, which takes any signed weights of
    the tokens, or where torch is older by chunks that are computed again in the backward pass.
    """
    if len(states_KE) * len(head_VE) <= plain:
        return _plain(states_KE, head_VE, bias_V, target_K)
    mixed = torch.is_autocast_enabled(states_KE.device.type)
    if not head_VE.requires_grad and not (bias_V is not None and bias_V.requires_grad):
        dtype = torch.get_autocast_dtype(states_KE.device.type) if mixed else states_KE.dtype
        bias = None if bias_V is None else bias_V.to(dtype)
        rows = max(1, plain // len(head_VE))
        arguments = states_KE.to(dtype), head_VE.to(dtype), bias, target_K, rows
        frozen: Tensor = _FrozenHead.apply(*arguments)  # type: ignore[no-untyped-call]  # torch has no types here
        return frozen
    rows = max(1, chunk // len(head_VE))
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
    parts = [
        checkpoint(_plain, states, head_VE, bias_V, target, use_reentrant=False)
        for states, target in zip(torch.split(states_KE, rows), torch.split(target_K, rows), strict=True)
    ]
    return torch.cat(parts)


class _FrozenHead(torch.autograd.Function):
    """Log-probabilities of which the gradient by the states, W^T (onehot - p) for each token, is found on the way.

    The loss may weigh the tokens by anything afterwards, which only scales the rows of that gradient. So the logits
    are computed once, and nothing of the vocabulary's size is kept.
    """

    @staticmethod
    def forward(
        ctx: Any, states_KE: Tensor, head_VE: Tensor, bias_V: Tensor | None, target_K: Tensor, rows: int
    ) -> Tensor:
        found_K = states_KE.new_empty(len(states_KE), dtype=torch.float32)
        wanted = ctx.needs_input_grad[0]
        gradient_KE = torch.empty_like(states_KE) if wanted else states_KE.new_empty(0)
        for start in range(0, len(states_KE), rows):
            part = slice(start, start + rows)
            logits_RV = functional.linear(states_KE[part], head_VE, bias_V).float()
            target_R1 = target_K[part, None]
            log_sum_R1 = logits_RV.logsumexp(-1, keepdim=True)
            found_K[part] = (logits_RV.gather(1, target_R1) - log_sum_R1)[:, 0]
            if wanted:
                share_RV = logits_RV.sub_(log_sum_R1).exp_().neg_()
                share_RV.scatter_add_(1, target_R1, torch.ones_like(log_sum_R1))
                gradient_KE[part] = share_RV.to(head_VE.dtype) @ head_VE
        ctx.save_for_backward(gradient_KE)
        return found_K

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weight_K: Tensor) -> tuple[Tensor | None, ...]:
        (gradient_KE,) = ctx.saved_tensors
        by_states = (gradient_KE * weight_K[:, None]).to(gradient_KE.dtype) if ctx.needs_input_grad[0] else None
        return by_states, None, None, None, None


def _plain(states_KE: Tensor, head_VE: Tensor, bias_V: Tensor | None, target_K: Tensor) -> Tensor:
    logits_KV = functional.linear(states_KE, head_VE, bias_V).float()
    return -functional.cross_entropy(logits_KV, target_K, reduction="none")
