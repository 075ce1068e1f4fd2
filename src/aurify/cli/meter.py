"""How far the sampling is: done of asked, cost so far and in all, time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from aurify.cli.progress import say
from aurify.collecting.run import SamplingWatcher
from aurify.progress import EVERY, FIRST, Ticker
from aurify.text import spelled_time


class Meter(SamplingWatcher):
    """Keeps count, and has a line shown now and then.

    Args:
        ticker: lets a line through.
        priced: whether cost is known.
        clock: seconds from any point in time.
    """

    def __init__(self, ticker: Ticker, *, priced: bool, clock: Callable[[], float] = monotonic) -> None:
        self._ticker, self._priced, self._clock = ticker, priced, clock
        self._begun = clock()
        self._known = self._done = self._asked = self._tokens = 0
        self._right: int | None = None
        self._cost = self._cost_before = 0.0
        self._first = True

    def begin(self, known: int, asked: int) -> None:
        self._known = self._done = known
        self._asked = asked
        self._begun = self._clock()

    def came(self, samples: int, cost: float, tokens: int) -> None:
        if self._first:  # what earlier runs spent says nothing of this one's pace
            self._cost_before, self._first = cost, False
        self._done += samples
        self._cost, self._tokens = cost, tokens
        self._ticker.tick(self.line)

    def at(self, done: int, right: int) -> None:
        self._done, self._right = done, right
        self._ticker.tick(self.line)

    def line(self) -> str:
        """``1200 of 8000 samples, 410000 tokens, $1.23 (about $8.20 in all), 12:34 left``."""
        words = [f"{self._done} of {self._asked} samples"]
        new, left = self._done - self._known, self._asked - self._done
        if self._right is not None and self._done:
            words.append(f"{self._right} right ({100 * self._right / self._done:.1f} %)")
        if self._tokens:
            words.append(f"{self._tokens} tokens")
        if self._priced:
            rest = (self._cost - self._cost_before) / new * left if new > 0 else 0.0
            words.append(f"${self._cost:.4f} (about ${self._cost + rest:.4f} in all)")
        if new > 0:
            words.append(f"{spelled_time((self._clock() - self._begun) / new * left)} left")
        return ", ".join(words)


@contextmanager
def meter(*, priced: bool) -> Iterator[Meter]:
    """A meter on standard error: one line that changes on a terminal, elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield Meter(Ticker(say, first=FIRST, every=EVERY), priced=priced)
        return
    from rich.console import Console
    from rich.status import Status

    with Status("sampling", console=Console(stderr=True)) as status:
        yield Meter(Ticker(status.update, first=0.2, every=0.2), priced=priced)
