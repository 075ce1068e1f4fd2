"""The profile of a run: where its time and tokens went, and how far that is from what the machine can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from aurify.clock import Clock, Total, peak_memory_mb
from aurify.models.memory import cache_bytes
from aurify.models.prefix import causal_lm


class Limits(NamedTuple):
    """This machine's best: floating-point operations a second in a matrix product, bytes a second in a copy."""

    arithmetic: float
    bandwidth: float


@dataclass(frozen=True)
class ProfileRow:
    """One line of the profile; shares are of the limits, None where they say nothing."""

    name: str
    seconds: float
    share: float
    calls: int
    tokens: int
    arithmetic: float | None
    bandwidth: float | None
    risen_mb: float


def measure_limits(device: torch.device, dtype: torch.dtype) -> Limits:
    """The best of a few products of 1,024 x 1,024 matrices, and of a few copies of 64 MiB."""
    matrix = torch.randn(1024, 1024, device=device).to(dtype)
    source = torch.zeros(2**24, device=device)
    target = torch.empty_like(source)
    product = _best(lambda: matrix @ matrix, device)
    copy = _best(lambda: target.copy_(source), device)
    return Limits(2 * 1024**3 / product, 2 * source.numel() * source.element_size() / copy)


def profile(clock: Clock, model: nn.Module, kind: str, limits: Limits) -> list[ProfileRow]:
    """The rows, longest first; what a name holds inside others stands for itself.

    Arithmetic counts 2 operations a matrix weight and token forward, 4 more backward for full weights and 2 for
    adapters, which need no gradient of the weights; attention is left out. Decoding reads all weights and the rows'
    keys and values once a step.
    """
    weights = _Weights.of(model)
    total = sum(spent.seconds for name, spent in clock.totals.items() if "/" not in name)
    inner: dict[str, float] = {}
    for name, spent in clock.totals.items():
        if "/" in name:
            outer = name.rpartition("/")[0]
            inner[outer] = inner.get(outer, 0.0) + spent.seconds
    rows = []
    for name, spent in clock.totals.items():
        own = max(0.0, spent.seconds - inner.get(name, 0.0))
        flops, read = weights.cost(name.rpartition("/")[2], spent, kind)
        rows.append(
            ProfileRow(
                name if name not in inner else f"{name} (rest)",
                own,
                own / max(total, 1e-9),
                spent.calls,
                spent.tokens,
                flops / own / limits.arithmetic if flops and own else None,
                read / own / limits.bandwidth if read and own else None,
                spent.risen_mb,
            )
        )
    return sorted(rows, key=lambda row: -row.seconds)


def profile_report(clock: Clock, model: nn.Module, kind: str) -> list[str]:
    """The profile of a run as lines for the user, with this machine's limits, measured now."""
    parameter = next(model.parameters())
    limits = measure_limits(parameter.device, parameter.dtype)
    return report(profile(clock, model, kind, limits), limits)


def report(rows: list[ProfileRow], limits: Limits) -> list[str]:
    """The profile as the lines of a plain text table."""
    lines = [
        f"limits measured here: {limits.arithmetic / 1e9:.0f} GFLOP/s in a matrix product, "
        f"{limits.bandwidth / 1e9:.0f} GB/s in a copy; peak memory {peak_memory_mb():.0f} MB",
        f"{'part':24} {'seconds':>9} {'share':>6} {'calls':>7} {'tokens':>10} {'tokens/s':>9} "
        f"{'of arithmetic':>13} {'of bandwidth':>12} {'peak rose, MB':>13}",
    ]
    for row in rows:
        speed = f"{row.tokens / row.seconds:,.0f}" if row.tokens and row.seconds else ""
        lines.append(
            f"{row.name:24} {row.seconds:9.2f} {row.share:6.1%} {row.calls:7,d} {row.tokens or '':>10} {speed:>9} "
            f"{_percent(row.arithmetic):>13} {_percent(row.bandwidth):>12} {row.risen_mb:>13.0f}"
        )
    return lines


@dataclass(frozen=True)
class _Weights:
    """Weights of the linear layers, those of the output layer apart; bytes of one weight, and of one cache column."""

    body: int
    head: int
    weight_bytes: int
    column_bytes: int

    @classmethod
    def of(cls, model: nn.Module) -> _Weights:
        lm = causal_lm(model)
        head = lm.get_output_embeddings()
        linear = [module for module in lm.modules() if isinstance(module, nn.Linear) and module is not head]
        weight = next(lm.parameters())
        return cls(
            body=sum(module.weight.numel() for module in linear),
            head=head.weight.numel(),
            weight_bytes=weight.element_size(),
            column_bytes=cache_bytes(lm, weight.dtype) or 0,
        )

    def cost(self, part: str, spent: Total, kind: str) -> tuple[float, float]:
        """Operations and bytes of a part of the run; 0 where they are not what it waits for."""
        if part == "prefill":
            return 2.0 * self.body * spent.tokens, 0.0
        if part == "decode":
            weights = (self.body + self.head) * self.weight_bytes * spent.calls
            return 2.0 * (self.body + self.head) * spent.tokens, weights + self.column_bytes * spent.columns
        if part == "gradient":
            return (6.0 if kind == "full" else 4.0) * self.body * spent.tokens, 0.0
        return 0.0, 0.0


def _best(call: Callable[[], object], device: torch.device) -> float:
    seconds = []
    for _ in range(6):
        begun = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
