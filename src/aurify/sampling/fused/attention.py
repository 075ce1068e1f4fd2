"""Attention in parts: over what several rows share, and over what each holds alone.

A part gives its output and the logarithm of its softmax's normaliser, and parts join exactly:
softmax over the union = the parts' outputs, weighted by their normalisers.

Scores and normalisers are float32 whatever the dtype of queries and keys. In bfloat16 a score of 100 (Qwen2.5's are
larger) has a step of a half, which moved the log-probability of a token by 0.04 nats on average, and by up to 0.7.

Shapes: B batch, H key-value heads, G queries a key-value head, T queries, C columns, D width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from aurify.sampling.fused.flash import flash_attention

SCORES = 2**24
"""Scores in memory at once."""

Part = tuple[Tensor, Tensor]
"""Output (..., D) and log-normaliser (..., 1), both float32."""


def attend(q_BTD: Tensor, k_BCD: Tensor, v_BCD: Tensor, mask_BTC: Tensor, scale: float) -> Part:
    """Batched attention; the additive mask is float32, is broadcast, and hides no whole row."""
    fast = flash_attention(q_BTD, k_BCD, v_BCD, mask_BTC, scale)
    if fast is not None:
        return fast[0].float(), fast[1]
    scores_BTC = torch.baddbmm(mask_BTC, q_BTD.float(), k_BCD.float().transpose(1, 2), alpha=scale)
    normaliser_BT1 = scores_BTC.logsumexp(-1, keepdim=True)
    return torch.bmm(scores_BTC.sub_(normaliser_BT1).exp_().to(v_BCD.dtype), v_BCD).float(), normaliser_BT1


def attend_alone(q_BTD: Tensor, k_BCD: Tensor, v_BCD: Tensor, mask_BTC: Tensor, scale: float) -> Tensor:
    """The same for a part that joins no other: the output alone."""
    fast = flash_attention(q_BTD, k_BCD, v_BCD, mask_BTC, scale)
    if fast is not None:
        return fast[0]
    scores_BTC = torch.baddbmm(mask_BTC, q_BTD.float(), k_BCD.float().transpose(1, 2), alpha=scale)
    return torch.bmm(scores_BTC.softmax(-1).to(v_BCD.dtype), v_BCD)


def join_parts(first: Part, second: Part) -> Part:
    """The attention over both parts' columns."""
    (out_a, normaliser_a), (out_b, normaliser_b) = first, second
    share_b = (normaliser_b - normaliser_a).sigmoid()
    return torch.lerp(out_a, out_b, share_b), torch.logaddexp(normaliser_a, normaliser_b)


def attend_common(q_NHGD: Tensor, k_HCD: Tensor, v_HCD: Tensor, scale: float, scores: int = SCORES) -> Part:
    """Every query of N tokens over columns common to all of them: one matrix product a head.

    About ``scores`` scores are in memory at once.
    """
    n, heads, group, width = q_NHGD.shape
    rows = max(1, scores // (heads * group * k_HCD.shape[1]))
    no_mask = torch.zeros(1, 1, 1, device=q_NHGD.device)
    parts = []
    for start in range(0, n, rows):
        q_HTD = q_NHGD[start : start + rows].transpose(0, 1).reshape(heads, -1, width)
        out_HTD, normaliser_HT1 = attend(q_HTD, k_HCD, v_HCD, no_mask, scale)
        parts.append([x.view(heads, -1, group, x.shape[-1]).transpose(0, 1) for x in (out_HTD, normaliser_HT1)])
    out_NHGD, normaliser_NHG1 = (torch.cat(column) for column in zip(*parts, strict=True))
    return out_NHGD, normaliser_NHG1


def attend_causal(
    q_BTHGD: Tensor, k_BTHD: Tensor, v_BTHD: Tensor, scale: float, common: Part | None, scores: int = SCORES
) -> Tensor:
    """B prompts of T tokens each, over themselves and what is ``common`` before them: (B, T, H, G, D)."""
    b, t, heads, group, width = q_BTHGD.shape
    if common is None:
        out = functional.scaled_dot_product_attention(
            q_BTHGD.reshape(b, t, heads * group, width).transpose(1, 2),
            k_BTHD.transpose(1, 2),
            v_BTHD.transpose(1, 2),
            is_causal=True,
            scale=scale,
            enable_gqa=group > 1,
        )
        return out.transpose(1, 2).view(b, t, heads, group, width)
    later_TT = torch.ones(t, t, dtype=torch.bool, device=q_BTHGD.device).triu(1)
    mask_1TT = torch.zeros(t, t, device=q_BTHGD.device).masked_fill(later_TT, float("-inf")).repeat(group, 1)[None]
    rows = max(1, scores // (heads * group * t * t))
    parts = []
    for start in range(0, b, rows):
        q = q_BTHGD[start : start + rows].permute(0, 2, 3, 1, 4).reshape(-1, group * t, width)
        k, v = (x[start : start + rows].transpose(1, 2).reshape(-1, t, width) for x in (k_BTHD, v_BTHD))
        own = attend(q, k, v, mask_1TT, scale)
        parts.append([x.view(-1, heads, group, t, x.shape[-1]).permute(0, 3, 1, 2, 4) for x in own])
    out_BTHGD, normaliser_BTHG1 = (torch.cat(column) for column in zip(*parts, strict=True))
    return join_parts((out_BTHGD, normaliser_BTHG1), common)[0]
