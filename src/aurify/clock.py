"""Where time and memory go: seconds, tokens, calls and rises of the peak memory by name, names in names."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Total:
    """What was spent under one name. ``columns`` counts positions of the key-value cache that were read."""

    seconds: float = 0.0
    tokens: int = 0
    calls: int = 0
    columns: int = 0
    risen_mb: float = 0.0
    """By how much the process's peak memory rose, in MB (2^20 bytes)."""


class Clock:
    """Adds up what is measured; a measure inside another is named after both: "evaluate/decode"."""

    def __init__(self) -> None:
        self.totals: dict[str, Total] = {}
        self._inside: list[str] = []
        self._rising = Total()
        self._peak_mb = peak_memory_mb()

    @contextmanager
    def measure(self, name: str, tokens: int = 0) -> Iterator[None]:
        """The seconds of a ``with`` block."""
        outside = self._rising
        self._inside.append(name)
        total = self.totals.setdefault("/".join(self._inside), Total())
        self._read_peak(total)
        begun = time.perf_counter()
        try:
            yield
        finally:
            total.seconds += time.perf_counter() - begun
            total.tokens += tokens
            total.calls += 1
            self._inside.pop()
            self._read_peak(outside)

    def add(self, name: str, seconds: float, tokens: int = 0, columns: int = 0) -> None:
        """Add to a name, inside those that are being measured."""
        total = self._rising = self.totals.setdefault("/".join([*self._inside, name]), Total())
        total.seconds += seconds
        total.tokens += tokens
        total.columns += columns
        total.calls += 1

    def _read_peak(self, following: Total) -> None:
        """Give what rose to the part that was measured last; then another follows.

        Reading the counters costs time, so it is not done at each addition.
        """
        peak = peak_memory_mb()
        self._rising.risen_mb += max(0.0, peak - self._peak_mb)  # less where a GPU is counted from now on
        self._peak_mb, self._rising = peak, following


def peak_memory_mb() -> float:
    """What this process took of memory at its peak, in MB (2^20 bytes): of its GPU where it has begun to use one."""
    torch = sys.modules.get("torch")  # not imported here: there is no GPU in use before it is
    if torch is not None and torch.cuda.is_initialized():
        return float(torch.cuda.max_memory_reserved()) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
