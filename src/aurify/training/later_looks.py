"""What the steps after the first tell a user of the run, each once where it begins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

WARNED_AFTER = 5
"""Updates in a row, of those that were looked at, that made most of what they learned from less likely."""
WINDOW = 256
"""Rationales, at least, over which the share of cut ones is taken."""
CUT_SHARE, TIMES = 0.1, 2
"""The share of cut rationales from which a line is said, where it also is so many times what it was at first."""


class LaterLooks:
    """Looks at every step of a run.

    Args:
        limit: tokens at which a rationale is cut.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lowered = 0
        self._first: float | None = None
        """The share of the first rationales that were cut; None: there are too few yet."""
        self._lately: list[tuple[int, int]] = []
        """How many were drawn and how many of them cut, by step, of about the last ``WINDOW``."""
        self._told_cut = False

    def __call__(self, updated: Mapping[str, Any], verdicts: Mapping[str, int]) -> list[str]:
        """Lines for the user after a step.

        Args:
            updated: what the update did (``Update.step``).
            verdicts: how often each verdict occurs among what the model drew of itself.
        """
        return [*self._unlikely(updated), *self._cut(verdicts)]

    def state(self) -> bytes:
        """What it has seen, as bytes."""
        return json.dumps([self._lowered, self._first, self._lately, self._told_cut]).encode()

    def restore(self, state: bytes) -> None:
        """See ``state``.

        Raises:
            ValueError: it is damaged.
            TypeError: it is of another form.
        """
        lowered, first, lately, told_cut = json.loads(state)
        self._lowered, self._told_cut = int(lowered), bool(told_cut)
        self._first = None if first is None else float(first)
        self._lately = [(int(drawn), int(cut)) for drawn, cut in lately]

    def _unlikely(self, updated: Mapping[str, Any]) -> list[str]:
        if "raised" not in updated:
            return []
        self._lowered = self._lowered + 1 if updated["raised"] < 0.5 else 0
        if self._lowered != WARNED_AFTER:
            return []
        return [
            f"{WARNED_AFTER} times in a row most of what an update learned from was less likely after it: "
            "the steps are too long or too noisy; lower --lr or --target-kl, or take more --questions a step"
        ]

    def _cut(self, verdicts: Mapping[str, int]) -> list[str]:
        self._lately.append((sum(verdicts.values()), verdicts.get("truncated", 0)))
        while sum(drawn for drawn, _ in self._lately[1:]) >= WINDOW:
            del self._lately[0]
        drawn, cut = (sum(column) for column in zip(*self._lately, strict=True))
        if drawn < WINDOW or self._told_cut:
            return []
        share = cut / drawn
        if self._first is None:
            self._first = share
        if share < max(CUT_SHARE, TIMES * self._first):
            return []
        self._told_cut = True
        return [
            f"{share:.0%} of the last {drawn} rationales were cut at {self.limit} tokens, {self._first:.0%} of the "
            f"first ones: they grow longer, and count as wrong; --max-new-tokens {2 * self.limit} gives a new run room"
        ]
