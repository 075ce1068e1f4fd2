"""Log-probabilities of chosen tokens from hidden states, with never a tensor of tokens by vocabulary in large."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from aurify.models.products import linear

PLAIN_LOGITS = 2**24
"""Up to this many logits the plain way is the fastest, and its memory does not matter."""
CHUNK_LOGITS = 2**22
"""Logits at a time beyond that."""
CACHED_LOGITS = 2**18
"""Logits of which a CPU's cache holds the float32 values."""


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


def _block(logits_RV: Tensor) -> int:
    """Columns that are gone through at once: on a CPU what its cache holds, elsewhere all."""
    rows, width = logits_RV.shape
    return max(1, CACHED_LOGITS // max(1, rows)) if logits_RV.device.type == "cpu" else width


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
        over_K1 = torch.empty_like(found_K)[:, None]
        for start in range(0, len(states_KE), rows):
            part = slice(start, start + rows)
            logits_RV, target_R1 = linear(states_KE[part], head_VE, bias_V), target_K[part, None]
            chosen_R1, top_R1 = logits_RV.gather(1, target_R1).float(), logits_RV.amax(-1, keepdim=True).float()
            sum_R1 = torch.zeros_like(top_R1)
            for block in torch.split(logits_RV, _block(logits_RV), dim=1):
                shares = block.float().sub_(top_R1).exp_()
                sum_R1 += shares.sum(-1, keepdim=True)
                if wanted:
                    block.copy_(shares)
            chosen_R1 -= top_R1
            found_K[part] = (chosen_R1 - sum_R1.log())[:, 0]
            if wanted:  # p - onehot times the sum, of which the target's own is found before it is rounded
                logits_RV.scatter_(1, target_R1, (chosen_R1.exp() - sum_R1).to(logits_RV.dtype))
                gradient_KE[part] = logits_RV @ head_VE
                over_K1[part] = -1 / sum_R1
        ctx.save_for_backward(gradient_KE, over_K1)
        return found_K

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weight_K: Tensor) -> tuple[Tensor | None, ...]:
        gradient_KE, over_K1 = ctx.saved_tensors
        scaled = (
            (gradient_KE * (weight_K[:, None] * over_K1)).to(gradient_KE.dtype) if ctx.needs_input_grad[0] else None
        )
        return scaled, None, None, None, None


def _plain(states_KE: Tensor, head_VE: Tensor, bias_V: Tensor | None, target_K: Tensor) -> Tensor:
    logits_KV = functional.linear(states_KE, head_VE, bias_V).float()
    return -functional.cross_entropy(logits_KV, target_K, reduction="none")
