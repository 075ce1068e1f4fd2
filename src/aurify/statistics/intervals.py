"""Intervals of means that are no proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COVERAGE = 0.95
"""The confidence of every interval."""


def bootstrap_means(
    values_QM: Floats,
    seed: int,
    *,
    least: Floats | float = 0.0,
    resamples: int = 2000,
) -> tuple[Floats, Floats]:
    """The percentile bootstrap interval of each column's mean over the rows, which are drawn with replacement.

    For means that are no proportion, such as pass@k: a row is a question, a column a metric, and all metrics of a
    question are drawn together. Rows that are all alike, or nearly, say little of the questions that were not
    asked: a share of 1 - ((1 - COVERAGE) / 2)^(1/n) of those may be of the least or the most value where none of n was.
    The interval reaches at least so far.

    Sources: B. Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1), 1-26;
    C. Clopper and E. Pearson (1934), Biometrika 26 (4), 404-413 (none of n).

    Args:
        values_QM: at least one row.
        seed: of the resamples.
        least: what a value can be at all, of each column or of all; the most is 1.

    Returns:
        (low, high), each [M].
    """
    random = np.random.default_rng(seed)
    n = len(values_QM)
    means_BM = np.array([values_QM[random.integers(n, size=n)].mean(axis=0) for _ in range(resamples)])
    low_M, high_M = np.quantile(means_BM, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], axis=0)
    mean_M = values_QM.mean(axis=0)
    unseen = 1 - ((1 - COVERAGE) / 2) ** (1 / n)
    return np.minimum(low_M, mean_M - unseen * (mean_M - least)), np.maximum(high_M, mean_M + unseen * (1 - mean_M))
