"""Asks an API for samples: several requests at a time, each repeated with back-off, none paid for twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from aurify.collecting.api.cache import Cache
from aurify.collecting.api.caps import CapReached, Caps
from aurify.collecting.api.client import Api
from aurify.collecting.api.records import Ask, Reply
from aurify.collecting.api.refusals import Failed, Rejected
from aurify.errors import AurifyError

GIVE_UP = 10
"""Prompts that fail one after the other, with no answer between, before all is given up."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts, unless the server asks for more; then at most five times this."""
TOLD_WAIT = 10.0
"""Seconds of a wait that is told."""
TOLD_EVERY = 30.0
"""Seconds from one such line to the next."""


@dataclass(frozen=True)
class Answers:
    """What came of it."""

    replies: list[list[Reply | None]]
    """One list a prompt, one reply a seed, in order; None where there is none."""
    failures: list[str] = field(default_factory=list)
    """A line for every prompt that could not be answered."""
    stopped: str | None = None
    """Which cap ended the work."""


@dataclass(frozen=True)
class _Group:
    """The samples that one request asks for: their places among the prompt's seeds, and their keys."""

    ask: Ask
    places: tuple[int, ...]
    keys: tuple[str, ...]


class Teacher:
    """Gets samples from the cache, or else from the API.

    Args:
        concurrency: requests at a time.
        choices: samples that one request asks for. A server that gives fewer is asked again for the rest.
        retries: attempts after the first, before a prompt is given up.
        first_wait: seconds before the second attempt; each further wait is twice as long. A wait is drawn evenly from
            the upper half of its length, so that requests which failed together do not come back together.
        progress: called with the number of samples that came in.
        say: is told of long waits.
    """

    def __init__(
        self,
        api: Api,
        cache: Cache,
        caps: Caps,
        *,
        concurrency: int = 8,
        choices: int = 8,
        retries: int = 6,
        first_wait: float = 0.5,
        progress: Callable[[int], None] = lambda samples: None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._api = api
        self._cache = cache
        self._caps = caps
        self._concurrency = concurrency
        self._choices = choices
        self._retries = retries
        self._first_wait = first_wait
        self._progress = progress
        self._say = say
        self._told = float("-inf")
        self._failures: list[str] = []
        self._failed_in_a_row = 0
        self._reached = False
        self._stopped: str | None = None

    async def ask_all(self, asks: Sequence[Ask]) -> Answers:
        """Every prompt's samples. What fails, or what a cap leaves out, is said in the answers.

        Raises:
            AurifyError: the server refuses everything (a wrong key, say), or nothing but failures comes.
        """
        keys = [ask.keys(self._api.url) for ask in asks]
        self._failures, self._failed_in_a_row, self._stopped = [], 0, None
        waiting = self._groups(asks, keys)
        workers = [asyncio.create_task(self._work(waiting)) for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        known = self._cache.get(key for row in keys for key in row)
        return Answers([[known.get(key) for key in row] for row in keys], self._failures, self._stopped)

    def _groups(self, asks: Sequence[Ask], keys: Sequence[Sequence[str]]) -> Iterator[_Group]:
        """What is to be asked: groups that do not depend on what is in the cache, without what is."""
        for ask, row in zip(asks, keys, strict=True):
            for start in range(0, len(row), self._choices):
                group = row[start : start + self._choices]
                known = self._cache.get(group)
                places = tuple(start + place for place, key in enumerate(group) if key not in known)
                if places:
                    yield _Group(ask, places, tuple(row[place] for place in places))

    async def _work(self, waiting: Iterator[_Group]) -> None:
        for group in waiting:
            if self._stopped is None:
                with suppress(CapReached):
                    await self._answer(group)

    async def _answer(self, group: _Group) -> None:
        """Ask until the group is complete, the attempts are used up, or a cap is reached."""
        ask, places, keys, failed = group.ask, group.places, group.keys, 0
        while places:
            problem, wait = "", None
            try:
                number = await self._caps.reserve(ask.request.bound(len(places)))
            except CapReached as error:
                self._stopped = str(error)
                raise
            try:
                answer = await self._api.ask(ask.request, n=len(places), seed=ask.seeds[places[0]])
            except Failed as error:
                await self._caps.fail(number, billed=error.billed)
                problem, wait = str(error), error.wait
                self._reached = self._reached or error.reached
            except (Rejected, AurifyError) as error:
                await self._caps.fail(number, billed=False)
                if isinstance(error, AurifyError):
                    raise
                self._give_up(f"{ask.name}: {error}", counts=not error.own)
                return
            else:
                replies, problem, self._reached = answer.replies[: len(places)], answer.problem, True
                await self._caps.pay(number, answer.usage, dict(zip(keys, replies, strict=False)))
                places, keys = places[len(replies) :], keys[len(replies) :]
                if replies:
                    failed = self._failed_in_a_row = 0
                    self._progress(len(replies))
                    continue
            failed += 1
            if failed > self._retries:
                if not self._reached:
                    raise AurifyError(f"{problem} ({failed} attempts); is it running?")
                self._give_up(f"{ask.name}: {problem} ({failed} attempts)")
                return
            await self._sleep(self.wait(failed, wait), problem)

    async def _sleep(self, seconds: float, problem: str) -> None:
        if seconds >= TOLD_WAIT and monotonic() >= self._told + TOLD_EVERY:
            self._told = monotonic()
            self._say(f"{problem}; asked again in {seconds:.0f} s")
        await asyncio.sleep(seconds)

    def _give_up(self, failure: str, *, counts: bool = True) -> None:
        self._failures.append(failure)
        self._failed_in_a_row += counts
        if self._failed_in_a_row >= GIVE_UP:
            raise AurifyError(f"{GIVE_UP} prompts failed one after the other; the last: {failure}")

    def wait(self, failed: int, asked: float | None) -> float:
        """Seconds before the next attempt."""
        longest = min(self._first_wait * 2.0 ** (failed - 1), LONGEST_WAIT)
        drawn = longest * random.uniform(0.5, 1.0)
        return drawn if asked is None else max(drawn, min(asked, 5 * LONGEST_WAIT))
