"""The chunked log-probabilities, by torch and by checkpoint, are the plain ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from aurify.models.head import target_logprobs


@pytest.mark.parametrize("bias", [False, True])
def test_a_frozen_output_layer_changes_neither_values_nor_the_gradient(bias: bool) -> None:
    """Signed weights, and a loss that is not linear in the log-probabilities; in parts of three and of one token."""
    torch.manual_seed(0)
    states, matrix = torch.randn(50, 16, requires_grad=True), torch.randn(300, 16)
    offsets = torch.randn(300) if bias else None
    targets, weights = torch.randint(300, (50,)), torch.randn(50)

    def run(plain: int) -> list[torch.Tensor]:
        logprobs = target_logprobs(states, matrix, offsets, targets, plain=plain)
        loss = (weights * logprobs).sum() + torch.expm1(logprobs.clamp(max=-0.1)).sum()
        return [logprobs, *torch.autograd.grad(loss, [states])]

    wanted = run(50 * 300)
    for plain in (1000, 300, 1):
        for found, right in zip(run(plain), wanted, strict=True):
            torch.testing.assert_close(found, right, atol=2e-5, rtol=1e-5)


def test_in_bfloat16_a_frozen_output_layer_rounds_no_more_than_the_plain_way() -> None:
    torch.manual_seed(0)
    states, matrix = torch.randn(64, 32), 0.3 * torch.randn(500, 32)
    targets, weights = torch.randint(500, (64,)), torch.randn(64)

    def run(plain: int, enabled: bool) -> list[torch.Tensor]:
        leaf = states.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            logprobs = target_logprobs(leaf, matrix, None, targets, plain=plain)
        return [logprobs, *torch.autograd.grad((weights * logprobs).sum(), [leaf])]

    exact, plain, parts = run(1 << 20, False), run(1 << 20, True), run(2000, True)
    for right, one, other in zip(exact, plain, parts, strict=True):
        assert other.dtype == one.dtype == torch.float32
        assert (other - right).norm() < 1.2 * (one - right).norm() + 1e-6


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("way", ["torch", "checkpoint"])
def test_chunks_change_neither_values_nor_gradients(way: str, bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed weights, and a loss that is not linear in the log-probabilities."""
    torch.manual_seed(0)
    states, matrix = torch.randn(50, 16, requires_grad=True), torch.randn(300, 16, requires_grad=True)
    offsets = torch.randn(300, requires_grad=True) if bias else None
    targets, weights = torch.randint(300, (50,)), torch.randn(50)
    inputs: list[Any] = [x for x in (states, matrix, offsets) if x is not None]

    def run(**limits: int) -> list[torch.Tensor]:
        logprobs = target_logprobs(states, matrix, offsets, targets, **limits)
        loss = (weights * logprobs).sum() + torch.expm1(logprobs.clamp(max=-0.1)).sum()
        return [logprobs, *torch.autograd.grad(loss, inputs)]

    plain = run()
    expected = (states @ matrix.T + (offsets if offsets is not None else 0)).log_softmax(-1)
    torch.testing.assert_close(plain[0], expected.gather(1, targets[:, None])[:, 0])
    if way == "checkpoint":
        monkeypatch.delattr(functional, "linear_cross_entropy", raising=False)
    elif not hasattr(functional, "linear_cross_entropy"):
        pytest.skip("this torch has no linear_cross_entropy")
    for found, wanted in zip(run(plain=0, chunk=1000), plain, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-5)
