"""The chunked log-probabilities, by torch and by checkpoint, are the plain ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from aurify.models.head import target_logprobs


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
