"""Where the time goes: seconds, tokens and calls by name, names in names."""

from __future__ import annotations

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


class Clock:
    """Adds up what is measured; a measure inside another is named after both: "evaluate/decode"."""

    def __init__(self) -> None:
        self.totals: dict[str, Total] = {}
        self._inside: list[str] = []

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
