"""A verdict is a fact about a rationale, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """What is known of a rationale's answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNPARSABLE = "unparsable"
    TRUNCATED = "truncated"
    TIMEOUT = "timeout"
    LEFT_OUT = "left-out"
    """Neither right nor wrong, since whoever judges declined to (a reward function that gave None)."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Grade:
    """A verdict, why, and the answer that was read out of the rationale (None where there is none)."""

    verdict: Verdict
    reason: str
    predicted: str | None = None
    score: float | None = None
    """What a reward function gave."""

    @property
    def right(self) -> bool:
        return self.verdict is Verdict.RIGHT
