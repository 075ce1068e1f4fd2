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
        self._peak_mb = peak_memory_mb()

    @contextmanager
    def measure(self, name: str, tokens: int = 0) -> Iterator[None]:
        """The seconds of a ``with`` block."""
        begun = time.perf_counter()
        self._inside.append(name)
        try:
            yield
        finally:
            self._inside.pop()
            self.add(name, time.perf_counter() - begun, tokens)

    def add(self, name: str, seconds: float, tokens: int = 0, columns: int = 0) -> None:
        """Add to a name, inside those that are being measured."""
        total = self.totals.setdefault("/".join([*self._inside, name]), Total())
        total.seconds += seconds
        total.tokens += tokens
        total.columns += columns
        total.calls += 1
        peak = peak_memory_mb()  # what rose since the last part was added rose in this one
        total.risen_mb += peak - self._peak_mb
        self._peak_mb = peak


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MB (2^20 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
