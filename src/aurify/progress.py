"""How far work is that takes long, in lines now and then."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from aurify.text import spelled_time

FIRST, EVERY = 5.0, 30.0
"""Seconds to the first line where standard error is no terminal, and between two: short work says nothing."""


class Progress(Protocol):
    """Is told how much is done, of how much, and how much of it was right where that is known."""

    def __call__(self, done: int, asked: int, right: int | None = None, /) -> None: ...


Counted = Callable[[int, int, int], None]
"""Is told how many rationales are done, how many were asked for, and how many of those done are right."""


class Ticker:
    """Lets a line through now and then.

    Args:
        show: is given the line.
        first: seconds to the first line.
        every: seconds between two.
        clock: seconds from any point in time.
    """

    def __init__(
        self,
        show: Callable[[str], None],
        *,
        first: float = FIRST,
        every: float = EVERY,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._show, self._every, self._clock = show, every, clock
        self._due = clock() + first

    def tick(self, line: Callable[[], str]) -> None:
        """Show what ``line`` says, if it is time."""
        if (now := self._clock()) >= self._due:
            self._due = now + self._every
            self._show(line())


class Lines:
    """Progress as lines: ``120 of 2000 rationales, 45 right (37.5 %), 0:03:20 left``.

    What was done when it was first told, by work that goes on, says nothing of how fast the rest will be. The last ones
    take longest where all are worked on at once: while none gets done, the time that is left is at least as long as
    none has been. Where the first of them take long, ``0 of 2000 rationales, 0:01:10 so far`` says that work goes on.
    """

    def __init__(self, what: str, ticker: Ticker, clock: Callable[[], float] = monotonic) -> None:
        self._what, self._ticker, self._clock = what, ticker, clock
        self._begun: tuple[float, int] | None = None
        self._newest = (0.0, -1)
        """When one more was done for the last time, and how many were done then."""

    def __call__(self, done: int, asked: int, right: int | None = None, /) -> None:
        self._begun = self._begun or (self._clock(), done)
        if done != self._newest[1]:
            self._newest = (self._clock(), done)
        self._ticker.tick(lambda: self._line(done, asked, right))

    def _line(self, done: int, asked: int, right: int | None) -> str:
        words = [f"{done} of {asked} {self._what}"]
        if right is not None and done:
            words.append(f"{right} right ({100 * right / done:.1f} %)")
        since, before = self._begun or (0.0, done)
        if before < done < asked:
            now = self._clock()
            left = max((now - since) / (done - before) * (asked - done), now - self._newest[0])
            words.append(f"{spelled_time(left)} left")
        elif done == before < asked and self._clock() > since:
            words.append(f"{spelled_time(self._clock() - since)} so far")
        return ", ".join(words)


def each_once(say: Callable[[str], None]) -> Callable[[str], None]:
    """``say`` without the lines that it was given before."""
    said: set[str] = set()

    def tell(line: str) -> None:
        if line not in said:
            said.add(line)
            say(line)

    return tell
