"""Systematic resampling: a fixed number of draws whose counts are as near to their expectation as they can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def systematic_counts(weights_N: NDArray[np.float64], draws: int, uniform: float) -> NDArray[np.int64]:
    """How often each item is drawn when ``draws`` evenly spaced points fall on the cumulative weights.

    The points are (uniform + l) / draws for l = 0 .. draws - 1, on weights normalised to sum 1, so that
    E[count_i] = draws * p_i with p_i = w_i / W, and every count is the floor or the ceiling of that.

    Args:
        weights_N: non-negative weights, not all zero.
        draws: L, the number of draws, at least 1.
        uniform: one number in [0, 1), the only randomness.

    Returns:
        Counts [N] that sum to ``draws``. An item of weight 0 is never drawn.

    Raises:
        ValueError: a negative weight, or no positive one.

    Source: docs/methods.md, "The gradient (M-step)"; Kitagawa 1996.
    """
    if weights_N.size == 0 or weights_N.min() < 0 or weights_N.sum() <= 0:
        raise ValueError("resampling wants non-negative weights that are not all zero")
    positive = np.flatnonzero(weights_N)
    edges = np.cumsum(weights_N[positive])
    points = (uniform + np.arange(draws)) / draws * edges[-1]
    drawn = np.minimum(np.searchsorted(edges, points, side="right"), positive.size - 1)
    return np.bincount(positive[drawn], minlength=weights_N.size)
