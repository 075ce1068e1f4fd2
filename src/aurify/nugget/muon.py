"""Muon in float32: momentum whose update is made orthogonal by a Newton-Schulz iteration.

``torch.optim.Muon`` does the same in bfloat16, which is slow on a CPU without matrix instructions for it: there it
took as long as the rest of the step. Here matrices of one shape go through the iteration together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


def orthogonal(updates_NRC: Tensor) -> Tensor:
    """Matrices [N, R, C] with their singular values moved to about 1."""
    wide = updates_NRC.shape[1] <= updates_NRC.shape[2]
    x = updates_NRC if wide else updates_NRC.transpose(1, 2)
    x = x / (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_ROUNDS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x if wide else x.transpose(1, 2)
    return result


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonal updates scaled by sqrt(max(1, rows / columns)), decoupled weight decay."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # torch's may return a loss
        """One update of every matrix; the gradients are there, so ``closure`` is not called."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                by_shape[tuple(p.shape)].append(p)
            for (rows, columns), params in by_shape.items():
                gradients = []
                for p in params:
                    assert p.grad is not None
                    state = self.state[p]
                    if not state:
                        state["momentum"] = torch.zeros_like(p)
                    state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                    gradients.append(p.grad.lerp(state["momentum"], group["momentum"]))
                updates = orthogonal(torch.stack(gradients))
                scale = group["lr"] * max(1.0, rows / columns) ** 0.5
                for p, update in zip(params, updates, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update, alpha=-scale)
