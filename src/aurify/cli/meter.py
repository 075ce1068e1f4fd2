"""How far the sampling is: done of asked, cost so far and in all, time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from aurify.collecting.run import SamplingWatcher

EVERY = 30.0
"""Seconds between two lines where standard error is no terminal."""


class Meter(SamplingWatcher):
    """Keeps count, and hands a line to ``show`` now and then.

    Args:
        show: is given the line.
        priced: whether cost is known.
        every: seconds between two lines.
        clock: seconds from any point in time.
    """

    def __init__(
        self, show: Callable[[str], None], *, priced: bool, every: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._show = show
        self._priced = priced
        self._every = every
        self._clock = clock
        self._begun = self._shown = clock()
        self._known = self._done = self._asked = self._tokens = 0
        self._cost = self._cost_before = 0.0
        self._first = True

    def begin(self, known: int, asked: int) -> None:
        self._known = self._done = known
        self._asked = asked
        self._begun = self._shown = self._clock()

    def came(self, samples: int, cost: float, tokens: int) -> None:
        if self._first:  # what earlier runs spent says nothing of this one's pace
            self._cost_before, self._first = cost, False
        self._done += samples
        self._cost, self._tokens = cost, tokens
        self._tell()

    def at(self, done: int) -> None:
        self._done = done
        self._tell()

    def line(self) -> str:
        """``1200 of 8000 samples, 410000 tokens, $1.23 (about $8.20 in all), 12:34 left``."""
        words = [f"{self._done} of {self._asked} samples"]
        new, left = self._done - self._known, self._asked - self._done
        if self._tokens:
            words.append(f"{self._tokens} tokens")
        if self._priced:
            rest = (self._cost - self._cost_before) / new * left if new > 0 else 0.0
            words.append(f"${self._cost:.4f} (about ${self._cost + rest:.4f} in all)")
        if new > 0:
            seconds = round((self._clock() - self._begun) / new * left)
            words.append(f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left")
        return ", ".join(words)

    def _tell(self) -> None:
        if self._clock() - self._shown >= self._every:
            self._shown = self._clock()
            self._show(self.line())


@contextmanager
def meter(*, priced: bool) -> Iterator[Meter]:
    """A meter on standard error: one line that changes on a terminal, elsewhere a line every half minute."""
    if not sys.stderr.isatty():
        yield Meter(lambda line: print(line, file=sys.stderr, flush=True), priced=priced, every=EVERY)
        return
    from rich.console import Console
    from rich.status import Status

    with Status("sampling", console=Console(stderr=True)) as status:
        yield Meter(status.update, priced=priced, every=0.2)
