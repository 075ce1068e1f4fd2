"""How much of a gradient is signal: what it has in common with the one of the step before.

Two steps draw other questions and other rationales, so their noise is independent, while the expectation hardly
changes in one step. So with mu the expectation and sigma^2 the power of the noise,

    E[<g, g'>] = |mu|^2,   E[|g|^2] = |mu|^2 + sigma^2

and the cosine c = <g, g'> / (|g| |g'|) has c / (1 - c) near |mu|^2 / sigma^2, the ratio of signal to noise.

One cosine says little; its mean over some twenty steps is the share of a gradient's power that is signal. Chains that
stand from one visit to the next make it larger than it is once questions come again. The cosine is that of a sample of
the coordinates, each as likely as the next, which is enough for a share of some percent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from aurify.models.sharding import whole_tensor

COORDINATES = 16384
"""How many of a gradient's coordinates are kept for the next step."""


class GradientSignal:
    """Keeps a part of each gradient, and compares the next one with it."""

    def __init__(self) -> None:
        self._last = torch.zeros(0)

    def cosine(self, parameters: Sequence[torch.nn.Parameter]) -> float | None:
        """With the last gradient that was shown here; None where there is none, or either is 0."""
        total = sum(parameter.numel() for parameter in parameters)
        stride = max(1, math.ceil(total / COORDINATES))
        kept = [_every(parameter, stride) for parameter in parameters]
        new, last = torch.cat(kept), self._last
        self._last = new
        if last.shape != new.shape or not (norms := float(last.norm() * new.norm())):
            return None
        return float(last @ new) / norms

    def state(self) -> bytes:
        """What is kept, as bytes."""
        return self._last.numpy().tobytes()

    def restore(self, state: bytes) -> None:
        """See ``state``.

        Raises:
            ValueError: it is damaged.
        """
        found = torch.frombuffer(bytearray(state), dtype=torch.float32) if state else torch.zeros(0)
        if not bool(found.isfinite().all()):
            raise ValueError("a gradient that is not finite")
        self._last = found.clone()


def _every(parameter: torch.nn.Parameter, stride: int) -> torch.Tensor:
    """One in ``stride`` coordinates of a parameter's gradient, float32, on the CPU; zeros where it has none."""
    flat = whole_tensor(parameter.detach() if parameter.grad is None else parameter.grad).reshape(-1)
    sampled = flat[::stride].to("cpu", torch.float32, copy=True)
    return torch.zeros_like(sampled) if parameter.grad is None else sampled
