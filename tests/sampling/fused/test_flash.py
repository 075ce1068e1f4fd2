"""PyTorch's flash attention on a CPU is the attention of float32 on what bfloat16 holds, normaliser and all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from aurify.sampling.fused import flash
from aurify.sampling.fused.attention import attend, attend_alone, join_parts


def states(batch: int, queries: int, columns: int, *, sharpness: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Keys and values are the first columns of rooms that hold more, as a store's are."""
    torch.manual_seed(0)
    q_BTD = torch.randn(batch, queries, 64) * sharpness
    k_BCD, v_BCD = torch.randn(batch, columns + 9, 64), torch.randn(batch, columns + 9, 64)
    q, k, v = (x.bfloat16() for x in (q_BTD, k_BCD, v_BCD))
    return q, k[:, :columns], v[:, :columns]


def fast(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    found = flash.flash_attention(q, k, v, mask, 0.125)
    if found is None:
        pytest.skip("this build of PyTorch has no flash attention on CPUs that gives its normaliser")
    return found


def exact(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    scores = q.double() @ k.double().transpose(1, 2) * 0.125 + mask
    return scores.softmax(-1) @ v.double(), scores.logsumexp(-1, keepdim=True)


def test_this_build_of_pytorch_has_it() -> None:
    """The one that is pinned; others may lack it."""
    if torch.__version__.startswith("2.13."):
        assert flash.has_flash_attention()


@pytest.mark.parametrize("sharpness", [1.0, 100.0])
@pytest.mark.parametrize(("batch", "queries", "columns"), [(1, 1, 1), (6, 7, 33), (2, 300, 40), (3, 1, 700)])
def test_as_near_to_the_exact_one_as_bfloat16_values_allow(batch, queries, columns, sharpness):
    q, k, v = states(batch, queries, columns, sharpness=sharpness)
    mask = torch.zeros(batch, 1, columns)
    mask[0, 0, : columns // 3] = float("-inf")
    out, normaliser = fast(q, k, v, mask)
    wanted_out, wanted_normaliser = exact(q, k, v, mask)
    assert out.dtype == torch.bfloat16
    assert normaliser.dtype == torch.float32
    torch.testing.assert_close(out.double(), wanted_out, atol=0.02, rtol=0.01)
    torch.testing.assert_close(normaliser.double(), wanted_normaliser, atol=1e-3, rtol=1e-5)


def test_masks_are_broadcast_over_batch_and_queries_or_neither():
    q, k, v = states(4, 5, 20)
    mask = torch.zeros(4, 5, 20).masked_fill(torch.rand(4, 5, 20) < 0.3, float("-inf"))
    for given in (mask, mask[:1], mask[:, :1], mask[:1, :1], torch.zeros(1, 1, 1)):
        out, normaliser = fast(q, k, v, given)
        torch.testing.assert_close(out.double(), exact(q, k, v, given)[0], atol=0.02, rtol=0.01)
        torch.testing.assert_close(normaliser.double(), exact(q, k, v, given)[1], atol=1e-3, rtol=1e-5)


def test_its_parts_join_to_the_whole():
    q, k, v = states(6, 7, 50, sharpness=30.0)
    no_mask = torch.zeros(1, 1, 1)
    parts = [attend(q, k[:, part], v[:, part], no_mask, 0.125) for part in (slice(0, 20), slice(20, 50))]
    assert all(part.dtype == torch.float32 for pair in parts for part in pair)
    whole = exact(q, k, v, no_mask)[0]
    torch.testing.assert_close(join_parts(*parts)[0].double(), whole, atol=0.03, rtol=0.02)
    torch.testing.assert_close(attend_alone(q, k, v, no_mask, 0.125).double(), whole, atol=0.02, rtol=0.01)


def test_left_alone_where_it_is_missing_or_says_otherwise(monkeypatch):
    def missing(q, k, v, **more):
        raise AttributeError("no such operator")

    def wrong(q, k, v, **more):
        return q, torch.zeros(*q.shape[:3])

    for operator in (missing, wrong):
        flash.has_flash_attention.cache_clear()
        monkeypatch.setattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", operator)
        q, k, v = states(2, 3, 4)
        assert flash.flash_attention(q, k, v, torch.zeros(1, 1, 1), 0.125) is None
        out, normaliser = attend(q, k, v, torch.zeros(1, 1, 1), 0.125)
        torch.testing.assert_close(out.double(), exact(q, k, v, torch.zeros(1, 1, 1))[0], atol=0.02, rtol=0.01)
        assert normaliser.shape == (2, 3, 1)
    flash.has_flash_attention.cache_clear()


def test_not_for_other_types_and_devices_and_nothing():
    q, k, v = states(2, 3, 4)
    mask = torch.zeros(1, 1, 1)
    assert flash.flash_attention(q.float(), k.float(), v.float(), mask, 1.0) is None
    assert flash.flash_attention(q[:0], k[:0], v[:0], mask, 1.0) is None
    assert flash.flash_attention(*(x.to("meta") for x in (q, k, v, mask)), 1.0) is None
