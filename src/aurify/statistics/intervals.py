"""Intervals of means that are no proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bootstrap_means(
    values_QM: Floats, seed: int, *, resamples: int = 2000, level: float = 0.95
) -> tuple[Floats, Floats]:
    """The percentile bootstrap interval of each column's mean over the rows, which are drawn with replacement.

    For means that are no proportion, such as pass@k: a row is a question, a column a metric, and all metrics of a
    question are drawn together. Where all rows are equal the interval is a point, which says nothing of the
    questions that were not asked.

    Source: B. Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7 (1), 1-26.

    Args:
        values_QM: at least one row.
        seed: of the resamples.
        level: the share of the resampled means inside the interval.

    Returns:
        (low, high), each [M].
    """
    random = np.random.default_rng(seed)
    n = len(values_QM)
    means_BM = np.array([values_QM[random.integers(n, size=n)].mean(axis=0) for _ in range(resamples)])
    low_M, high_M = np.quantile(means_BM, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low_M, high_M
