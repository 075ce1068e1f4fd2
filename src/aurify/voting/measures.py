"""How good a ranker is: pairs put in order, area under the curve, calibration error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 15
"""Of the calibration error."""


def pair_accuracies(scores: Sequence[Floats], right: Sequence[Bools]) -> Floats:
    """P(s+ > s-) of every question that has both a right and a wrong candidate [Q']; a tie counts one half.

    This is the ranker accuracy of "Turning Dust into Gold" (arXiv:2312.12832), per question.
    """
    found = []
    for scores_S, right_S in zip(scores, right, strict=True):
        above, below = scores_S[right_S], scores_S[~right_S]
        if len(above) and len(below):
            differences = above[:, None] - below[None, :]
            found.append(float((differences > 0).mean() + 0.5 * (differences == 0).mean()))
    return np.array(found)


def area_under_curve(scores_N: Floats, right_N: Bools) -> float:
    """P(s+ > s-) over all right and wrong candidates, of whichever question; 0.5 where one kind is missing."""
    above = int(right_N.sum())
    below = len(right_N) - above
    if not above or not below:
        return 0.5
    found = mannwhitneyu(scores_N[right_N], scores_N[~right_N], method="asymptotic")
    return float(found.statistic) / (above * below)


def calibration_error(scores_N: Floats, right_N: Bools) -> float:
    """The expected calibration error: |mean score - share right|, weighted over ``BINS`` of equal width.

    Source: M. P. Naeini et al. (2015), Obtaining well calibrated probabilities using Bayesian binning; 0 of no scores.
    """
    if not len(scores_N):
        return 0.0
    places = np.minimum((scores_N * BINS).astype(int), BINS - 1)
    gaps = [abs((scores_N[places == b] - right_N[places == b]).sum()) for b in range(BINS)]
    return float(sum(gaps) / len(scores_N))
