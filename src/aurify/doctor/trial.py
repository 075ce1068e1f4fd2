"""One way of asking, tried on the pilot's questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from aurify.rationales import Rationale


class PairedDifference(NamedTuple):
    """How much better one trial is than another on the same questions."""

    points: float
    """Percentage points of right rationales."""
    p: float
    """Of an exact two-sided sign test over the questions on which they differ."""


@dataclass(frozen=True)
class Trial:
    """What was drawn when the questions were asked in one way: the same questions, in the same order, for all."""

    name: str
    rows: Sequence[Sequence[Rationale]]
    seconds: float
    flags: Mapping[str, str | None] = field(default_factory=dict)
    """What to tell ``aurify train`` to be asked so, by flag."""
    deployable: bool = True
    """Whether a model can be asked so without knowing the answer."""

    @property
    def all(self) -> list[Rationale]:
        """Every rationale."""
        return [rationale for row in self.rows for rationale in row]

    @property
    def right_Q(self) -> NDArray[np.int64]:
        """Right rationales of each question."""
        return np.array([sum(rationale.right for rationale in row) for row in self.rows], dtype=np.int64)

    @property
    def samples(self) -> int:
        """Rationales of a question."""
        return len(self.rows[0])

    @property
    def rate(self) -> float:
        """The share of right rationales."""
        return float(self.right_Q.mean()) / self.samples

    @property
    def verdicts(self) -> Counter[str]:
        """Rationales by what they are: the verdict, and apart from other unparsable ones a thought never closed."""
        return Counter(kind(rationale) for rationale in self.all)

    @property
    def tokens(self) -> float:
        """Tokens of a rationale, on average."""
        return sum(len(rationale.token_ids) for rationale in self.all) / len(self.all)

    def share(self, *names: str) -> float:
        """The share of rationales of these kinds."""
        verdicts = self.verdicts
        return sum(verdicts[name] for name in names) / max(1, verdicts.total())

    def better_than(self, other: Trial) -> PairedDifference:
        """On the same questions, each with its share of right rationales."""
        mine, others = self.right_Q / self.samples, other.right_Q / other.samples
        wins, losses = int((mine > others).sum()), int((mine < others).sum())
        p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
        return PairedDifference(100 * float((mine - others).mean()), p)


THOUGHT = "thought not closed"


def kind(rationale: Rationale) -> str:
    """What a rationale is, in the words of the report."""
    if not rationale.right and "thought is never closed" in rationale.reason:
        return THOUGHT
    return str(rationale.verdict)
