"""Accuracy with its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from aurify.statistics.intervals import COVERAGE


class Accuracy(NamedTuple):
    """The share of right answers, as fractions, with a 95 % Wilson interval."""

    right: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, verdicts: Iterable[bool]) -> Accuracy:
        """From whether each question was answered rightly; of no question, from 0 to 1.

        Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of
        the American Statistical Association 22 (158), 209-212.
        """
        from scipy.stats import binomtest  # the command line starts without SciPy

        outcomes = [bool(verdict) for verdict in verdicts]
        if not outcomes:
            return cls(0, 0, 0.0, 1.0)
        interval = binomtest(sum(outcomes), len(outcomes)).proportion_ci(COVERAGE, method="wilson")
        return cls(sum(outcomes), len(outcomes), float(interval.low), float(interval.high))

    @property
    def value(self) -> float:
        """The fraction right; 0 of no questions."""
        return self.right / self.n if self.n else 0.0

    def to_dict(self) -> dict[str, float]:
        """The numbers as they stand in metrics and JSON files."""
        return {"n": self.n, "right": self.right, "accuracy": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        interval = f"95 % interval {100 * self.low:.1f} to {100 * self.high:.1f}"
        return f"{100 * self.value:.1f} % ({self.right} of {self.n}; {interval})"
