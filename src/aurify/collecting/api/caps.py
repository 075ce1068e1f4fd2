"""Caps on money and tokens, kept before a request is sent and not after it is billed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aurify.collecting.api.cache import Cache
from aurify.collecting.api.prices import Price
from aurify.collecting.api.records import Reply, Usage
from aurify.errors import AurifyError


class CapReached(AurifyError):
    """The next request could break a cap; the message says which."""


class Caps:
    """Lets a request go only if all that was paid, all in flight and this one stay within the caps, at their most.

    What the cache's ledger holds from earlier runs counts.

    Args:
        price: of the model; None counts no money.
        money_cap: in USD; 0: none.
        token_cap: tokens of prompts and completions together; 0: none.
    """

    def __init__(self, cache: Cache, price: Price | None, *, money_cap: float = 0.0, token_cap: int = 0) -> None:
        self._cache = cache
        self._price = price
        self._caps = money_cap, token_cap
        before = cache.spent("paid", "unknown")
        self.cost, self.tokens = before.cost, before.usage.total
        """What was or may have been billed, requests in flight not counted."""
        self._open: dict[int, Usage] = {}
        """The requests in flight, at their most."""
        self._changed = asyncio.Condition()

    async def reserve(self, bound: Usage) -> int:
        """Wait until the request fits, and take its number in the ledger.

        Raises:
            CapReached: it would not fit even if all in flight cost nothing.
        """
        async with self._changed:
            while (over := self._over(bound)) is not None:
                if not self._open:
                    raise CapReached(over)
                await self._changed.wait()
            number = self._cache.open_request(bound, self._cost(bound))
            self._open[number] = bound
            return number

    async def pay(self, number: int, usage: Usage | None, replies: Mapping[str, Reply]) -> None:
        """The request was answered; where the server does not say its ``usage``, it counts at its most."""
        used = usage or self._open[number]
        self._cache.pay(number, used, self._cost(used), replies)
        await self._close(number, used)

    async def fail(self, number: int, *, billed: bool) -> None:
        """The request failed; ``billed`` where it may be charged all the same, and so counts at its most."""
        self._cache.close_request(number, billed=billed)
        await self._close(number, self._open[number] if billed else Usage(0, 0))

    async def _close(self, number: int, used: Usage) -> None:
        del self._open[number]
        self.cost += self._cost(used)
        self.tokens += used.total
        async with self._changed:
            self._changed.notify_all()

    def _over(self, bound: Usage) -> str | None:
        """Which cap the request could break, in words; None where it breaks none."""
        money_cap, token_cap = self._caps
        cost = self.cost + sum(map(self._cost, self._open.values())) + self._cost(bound)
        tokens = self.tokens + sum(one.total for one in self._open.values()) + bound.total
        if money_cap and cost > money_cap:
            most = f"the next request may cost ${self._cost(bound):.4f}"
            return f"--money-cap {money_cap:g}: ${self.cost:.4f} is spent, and {most}"
        if token_cap and tokens > token_cap:
            return f"--token-cap {token_cap}: {self.tokens} are spent, and the next request may take {bound.total}"
        return None

    def _cost(self, usage: Usage) -> float:
        return self._price.of(usage) if self._price else 0.0
