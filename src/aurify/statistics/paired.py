"""Which of several methods is better, from the same held-out questions: paired by question and by run.

Numbers are fractions. A method has one run or several that differ in their seed alone; the runs of one seed were asked
the same questions, and those of two seeds may have been asked others, or partly others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from aurify.statistics.accuracy import Accuracy
from aurify.statistics.crossed import ACCURACY, DIFFERENCE, Interval, crossed_mean, persistence
from aurify.statistics.sign_flip import sign_flip

Floats = NDArray[np.float64]

LEVEL = 0.05
"""Two methods are told apart below this Holm-corrected p."""


@dataclass(frozen=True)
class Pair:
    """One method against another."""

    first: str
    second: str
    difference: Interval
    """The mean of the first less that of the second."""
    only_first: int
    """Answers (of a question in a run) in which the first is ahead: that it alone has right."""
    only_second: int
    of_methods: bool
    """Whether there are runs enough to speak of the methods; else all is of these very runs."""
    persistence: float | None
    """The share of the differences' variance that returns in the next run (``crossed.persistence``)."""
    p_questions: float
    """Sign-flip test over questions (with one run: McNemar's): of no difference between these runs."""
    p_runs: float
    """t test over runs and questions: of no difference between the methods, or, with few runs, between these runs."""
    p_holm: float = 1.0
    """The larger of the two, corrected for the number of pairs."""

    @property
    def p(self) -> float:
        """The larger of the two p: a winner must pass both tests."""
        return max(self.p_questions, self.p_runs)

    @property
    def ahead(self) -> str | None:
        """Whose runs are better beyond doubt; None where the data cannot tell: both tests and the interval must."""
        if self.p_holm >= LEVEL or self.difference.low <= 0 <= self.difference.high:
            return None
        return self.first if self.difference.value > 0 else self.second

    @property
    def better(self) -> str | None:
        """The better method; None where it cannot be told, as always with fewer than ``crossed.ENOUGH_RUNS`` runs."""
        return self.ahead if self.of_methods else None


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected so that the chance of any false finding among all of them stays below their level.

    Source: S. Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6, 65-70.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def by_question(runs: Sequence[Mapping[str, float]]) -> Floats:
    """What each run made of each question [S, Q], NaN where it was not asked it; questions sorted by id."""
    ids = sorted({question for run in runs for question in run})
    return np.array([[float(run.get(question, np.nan)) for question in ids] for run in runs])


def accuracy(values_SQ: Floats) -> Interval:
    """The share of right answers: with Wilson's interval for one run, else over runs and questions.

    Values that are not all 0 or 1 have the interval over questions too, and values outside [0, 1] as they are.
    """
    known = values_SQ[~np.isnan(values_SQ)]
    if len(values_SQ) == 1 and np.isin(known, (0, 1)).all():
        found = Accuracy.of(known == 1)
        return Interval(found.value, found.low, found.high)
    fractions = bool((known >= 0).all() and (known <= 1).all())
    return crossed_mean(values_SQ, ACCURACY if fractions else ()).interval


def compare_pair(first: str, a_SQ: Floats, second: str, b_SQ: Floats) -> Pair:
    """One method against another; the rows of both are of the same seeds, the columns of the same questions."""
    difference_SQ = a_SQ - b_SQ
    known = difference_SQ[~np.isnan(difference_SQ)]
    found = crossed_mean(difference_SQ, DIFFERENCE if (np.abs(known) <= 1).all() else ())
    return Pair(
        first, second, found.interval, int((known > 0).sum()), int((known < 0).sum()), found.of_methods,
        persistence(difference_SQ), sign_flip(difference_SQ), found.p,
    )  # fmt: skip


def change(before: Mapping[str, float], after: Mapping[str, float]) -> Pair | None:
    """What one run made of the questions of both, by id, after against before; None where there are none."""
    both = sorted(before.keys() & after.keys())
    if not both:
        return None
    values = {
        name: by_question([{key: float(found[key]) for key in both}])
        for name, found in (("after", after), ("before", before))
    }
    return compare_all(values)[0]


def compare_all(values: Mapping[str, Floats], *, against: str | None = None) -> list[Pair]:
    """Every pair of methods, or every method against one, with corrected p-values.

    Args:
        values: by method what each run made of each question [S, Q], as ``by_question`` gives it: right (1) or wrong
            (0), or a score. The rows of all methods are of the same seeds, the columns of the same questions.
    """
    names = [(name, against) for name in values if name != against] if against else list(combinations(values, 2))
    pairs = [compare_pair(first, values[first], second, values[second]) for first, second in names]
    corrected = holm([pair.p for pair in pairs])
    return [replace(pair, p_holm=p_holm) for pair, p_holm in zip(pairs, corrected, strict=True)]
