"""How often a model is right on a question, over questions: what a few samples of each tell of all of them.

Question q has a pass rate p_q, and of K samples c_q ~ Binomial(K, p_q) are right. The rates are taken as Beta(a, b).
What is wanted is averaged over the posterior of (a, b) on a grid (mean uniform, concentration log-uniform), so that 0
of K for every question does not mean a rate of 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import betabinom

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MEANS = 1 / (1 + np.exp(-np.linspace(-8, 8, 81)))
_CONCENTRATIONS = np.geomspace(0.1, 100, 31)


class Share(NamedTuple):
    """An expected share of the questions, with a 95 % credible interval."""

    mean: float
    low: float
    high: float


class PassRates:
    """The posterior of the distribution of pass rates.

    Args:
        right_Q: right samples of each question.
        samples: how many were drawn of each.
    """

    def __init__(self, right_Q: Ints, samples: int) -> None:
        means, concentrations = np.meshgrid(_MEANS, _CONCENTRATIONS)
        self._a, self._b = (means * concentrations).ravel(), ((1 - means) * concentrations).ravel()
        counts, times = np.unique(right_Q, return_counts=True)
        log_likelihood = (times[:, None] * betabinom.logpmf(counts[:, None], samples, self._a, self._b)).sum(axis=0)
        prior = (means * (1 - means)).ravel()  # the grid is even in the logit; the mean itself is uniform
        weights = np.exp(log_likelihood - log_likelihood.max()) * prior
        self._weights: Floats = weights / weights.sum()

    def right(self) -> Share:
        """Of samples."""
        return self._share(lambda a, b: a / (a + b))

    def never_in(self, draws: int) -> Share:
        """The share of questions of which none of n draws is right: E[(1 - p)^n]."""
        return self._share(lambda a, b: np.exp(betaln(a, b + draws) - betaln(a, b)))

    def pure_in(self, draws: int) -> Share:
        """The share of groups of n draws that are all right or all wrong, in which GRPO and RLOO have no gradient."""
        return self._share(
            lambda a, b: np.exp(betaln(a, b + draws) - betaln(a, b)) + np.exp(betaln(a + draws, b) - betaln(a, b))
        )

    def _share(self, of: Callable[[Floats, Floats], Floats]) -> Share:
        values = of(self._a, self._b)
        order = np.argsort(values)
        below = np.cumsum(self._weights[order])
        low, high = values[order][np.searchsorted(below, [0.025, 0.975]).clip(max=len(values) - 1)]
        return Share(float((values * self._weights).sum()), float(low), float(high))
