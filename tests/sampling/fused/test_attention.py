"""Attention in parts is attention over the whole."""

from __future__ import annotations

import torch
from torch import Tensor

from aurify.sampling.fused.attention import SCORES, attend, attend_alone, attend_causal, attend_common, join_parts


def plain(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    return ((q @ k.transpose(-1, -2)) * scale).softmax(-1) @ v


def test_two_parts_join_to_the_whole() -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(6, 3, 8), torch.randn(6, 11, 8) * 4, torch.randn(6, 11, 8)
    no_mask = torch.zeros(1, 1, 1)
    parts = [attend(q, k[:, part], v[:, part], no_mask, 0.3) for part in (slice(0, 4), slice(4, 5), slice(5, 11))]
    for order in ((0, 1, 2), (2, 0, 1)):
        a, b, c = (parts[i] for i in order)
        torch.testing.assert_close(join_parts(join_parts(a, b), c)[0], plain(q, k, v, 0.3), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(attend_alone(q, k, v, no_mask, 0.3), plain(q, k, v, 0.3), atol=1e-6, rtol=1e-5)


def test_a_hidden_column_has_no_say() -> None:
    q, k, v = torch.randn(2, 1, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    mask = torch.zeros(2, 1, 5)
    mask[:, :, :2] = float("-inf")
    expected = plain(q, k[:, 2:], v[:, 2:], 1.0)
    torch.testing.assert_close(attend(q, k, v, mask, 1.0)[0], expected)
    torch.testing.assert_close(attend_alone(q, k, v, mask, 1.0), expected)


def test_what_is_common_is_as_if_each_had_its_own() -> None:
    """Two heads, three queries a head; B prompts of T tokens after C common columns, in chunks and at once."""
    torch.manual_seed(1)
    b, t, h, g, d, c = 5, 4, 2, 3, 8, 7
    q, k, v = torch.randn(b, t, h, g, d), torch.randn(b, t, h, d), torch.randn(b, t, h, d)
    k0, v0 = torch.randn(h, c, d), torch.randn(h, c, d)
    keys = torch.cat([k0.expand(b, h, c, d), k.transpose(1, 2)], 2)[:, :, None]
    values = torch.cat([v0.expand(b, h, c, d), v.transpose(1, 2)], 2)[:, :, None]
    scores = q.permute(0, 2, 3, 1, 4) @ keys.transpose(-1, -2) * 0.5
    hidden = torch.ones(t, c + t, dtype=torch.bool).triu(c + 1)
    expected = (scores.masked_fill(hidden, float("-inf")).softmax(-1) @ values).permute(0, 3, 1, 2, 4)
    for chunk in (SCORES, 100):
        out, normaliser = attend_common(q.reshape(b * t, h, g, d), k0, v0, 0.5, chunk)
        common = out.view(b, t, h, g, d), normaliser.view(b, t, h, g, 1)
        torch.testing.assert_close(attend_causal(q, k, v, 0.5, common, chunk), expected, atol=1e-6, rtol=1e-5)
    alone = attend_causal(q, k, v, 0.5, None)
    scores = q.permute(0, 2, 3, 1, 4) @ k.transpose(1, 2)[:, :, None].transpose(-1, -2) * 0.5
    weights = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf")).softmax(-1)
    expected = (weights @ v.transpose(1, 2)[:, :, None]).permute(0, 3, 1, 2, 4)
    torch.testing.assert_close(alone, expected, atol=1e-6, rtol=1e-5)
