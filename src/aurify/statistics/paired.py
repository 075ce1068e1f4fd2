"""Which of several methods is better, from the same held-out questions: paired, exact where that can be.

Numbers are fractions. A method has one run or several that differ in their seed alone; the runs of one seed are over
the same questions, and those of two seeds may be over different ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from aurify.statistics.intervals import wilson

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL = 0.05
"""Two methods are told apart below this Holm-corrected p."""
RESAMPLES = 4000


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """One method against another."""

    first: str
    second: str
    difference: Interval
    """Accuracy of the first less that of the second."""
    only_first: int
    """Answers (of a question in a run) that the first alone has right."""
    only_second: int
    p: float
    """Exact McNemar test: how likely so uneven a split of these is if both are equally good."""
    p_holm: float = 1.0
    """The same, corrected for the number of pairs."""

    @property
    def better(self) -> str | None:
        """The better one; None where the data cannot tell them apart: both the test and the interval must."""
        if self.p_holm >= LEVEL or self.difference.low <= 0 <= self.difference.high:
            return None
        return self.first if self.difference.value > 0 else self.second


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p of McNemar's test, on the answers that one of the two alone has right.

    Source: Q. McNemar (1947), Psychometrika 12 (2), 153-157; the exact form is a sign test.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected so that the chance of any false finding among all of them stays below their level.

    Source: S. Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6, 65-70.
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def bootstrap(values_by_seed: Sequence[Floats], seed: int) -> Interval:
    """The mean of all values, with the 95 % percentile interval of resampled seeds and, in each, resampled questions.

    With one seed only the questions are resampled: the interval then says nothing of another run of the same method.

    Source: B. Efron (1979), Annals of Statistics 7 (1), 1-26; in two stages, Davison & Hinkley (1997), section 3.8.

    Args:
        values_by_seed: for each seed one value a question; of two methods, their difference.
        seed: of the resamples.
    """
    random = np.random.default_rng(seed)
    seeds = len(values_by_seed)
    chosen_BS = random.integers(seeds, size=(RESAMPLES, seeds))
    sums_BS, sizes_BS = np.zeros(chosen_BS.shape), np.zeros(chosen_BS.shape)
    for index, values in enumerate(values_by_seed):  # drawing n of n with replacement is a multinomial of the values
        kinds, counts = np.unique(values, return_counts=True)
        drawn_BSK = random.multinomial(len(values), counts / len(values), size=chosen_BS.shape)
        here_BS = chosen_BS == index
        sums_BS[here_BS], sizes_BS[here_BS] = (drawn_BSK @ kinds)[here_BS], len(values)
    low, high = np.quantile(sums_BS.sum(axis=1) / sizes_BS.sum(axis=1), [0.025, 0.975])
    return Interval(float(np.concatenate(list(values_by_seed)).mean()), float(low), float(high))


def accuracy(right_by_seed: Sequence[Bools], seed: int = 0) -> Interval:
    """The share of right answers: with Wilson's interval for one run, else with the bootstrap's over seeds."""
    if len(right_by_seed) == 1:
        right, n = int(right_by_seed[0].sum()), len(right_by_seed[0])
        return Interval(right / n, *wilson(right, n))
    return bootstrap([right.astype(float) for right in right_by_seed], seed)


def compare_all(
    right: Mapping[str, Sequence[Bools]],
    *,
    against: str | None = None,
    seed: int = 0,
) -> list[Pair]:
    """Every pair of methods, or every method against one, with corrected p-values.

    Args:
        right: by method, for each seed whether each question was answered rightly; the questions of a seed are in the
            same order for all methods.
    """
    names = [(name, against) for name in right if name != against] if against else list(combinations(right, 2))
    pairs = []
    for first, second in names:
        a, b = right[first], right[second]
        differences = [one.astype(float) - other for one, other in zip(a, b, strict=True)]
        only = [sum(int((d == sign).sum()) for d in differences) for sign in (1, -1)]
        pairs.append(Pair(first, second, bootstrap(differences, seed), only[0], only[1], mcnemar(*only)))
    corrected = holm([pair.p for pair in pairs])
    return [
        Pair(pair.first, pair.second, pair.difference, pair.only_first, pair.only_second, pair.p, p_holm)
        for pair, p_holm in zip(pairs, corrected, strict=True)
    ]
