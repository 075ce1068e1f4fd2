"""A paired test on questions: were the two methods equally good, a question's difference could as well be its negative.

A question is one draw, however many runs were asked it: its differences are summed over the runs before any sign is
turned. With one run this is McNemar's exact test.

Sources: R. A. Fisher (1935), The Design of Experiments, section 21; Q. McNemar (1947), Psychometrika 12 (2), 153-157.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 9999
"""Sign patterns that are drawn where the differences are no whole numbers."""


def sign_flip(differences_SQ: Floats) -> float:
    """The two-sided p of the sum of all differences when each question's sign is a coin.

    Exact where all differences are whole numbers, as those of right and wrong answers are; else over
    ``RESAMPLES`` drawn patterns, always the same ones.

    Args:
        differences_SQ: a row a run, a column a question, NaN where the run was not asked it.
    """
    totals_Q = np.nansum(differences_SQ, axis=0)
    totals_Q = totals_Q[totals_Q != 0]
    if len(totals_Q) < 2:  # a lone coin says nothing
        return 1.0
    whole_Q = np.rint(totals_Q)
    if not np.array_equal(whole_Q, totals_Q):
        from scipy.stats import permutation_test  # runs start without SciPy

        found = permutation_test(
            (totals_Q,), np.sum, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES,
            rng=np.random.default_rng(0),
        )  # fmt: skip
        return float(found.pvalue)
    chance = np.ones(1)  # of each sum from -reach to reach, in steps of 1
    sizes, counts = np.unique(np.abs(whole_Q).astype(int), return_counts=True)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        own = np.zeros(2 * size * count + 1)
        own[:: 2 * size] = _heads(count)
        chance = np.convolve(chance, own)
    reach = len(chance) // 2
    extreme = abs(int(whole_Q.sum()))
    return float(min(1.0, chance[: reach - extreme + 1].sum() + chance[reach + extreme :].sum())) if extreme else 1.0


@lru_cache(maxsize=1024)
def _heads(coins: int) -> Floats:
    """The chance of each number of heads, from 0 to ``coins``."""
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(coins + 1), coins, 0.5), dtype=np.float64)
