"""Confidence intervals of accuracies."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion: every p that a two-sided normal test at ``level`` does not reject.

    With z the normal quantile of (1 + level) / 2 and p = successes / n,

        (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)

    Unlike p ± z sqrt(p (1 - p) / n) it stays within [0, 1] and keeps its coverage near 0 and 1 and for small n.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (158), 209-212.

    Returns:
        (low, high) as fractions; (0, 1) where n is 0.

    Raises:
        ValueError: successes outside 0..n, or a level outside (0, 1).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = successes / n
    centre = p + z * z / (2 * n)
    half_width = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the exact bound is 0 or 1; rounding must not leave 1e-17 there.
    low = 0.0 if successes == 0 else (centre - half_width) / scale
    high = 1.0 if successes == n else (centre + half_width) / scale
    return low, high


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
