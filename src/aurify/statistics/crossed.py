"""The mean of answers that several runs gave to the same questions, with an interval that knows both are samples.

Runs (seeds) and questions are crossed: a question that one run finds easy is easy for the next run too, so ten runs on
eighty questions are not eight hundred independent answers. With y_s the mean of run s over its questions, the means
have the covariance

    Cov(y) = G + b I

where G is what the drawing of questions contributes, estimated from sums of residuals that are kept together by
question (so questions that two runs share count as shared, those that they do not share as independent), and b is the
variance between runs beyond it. A weighted mean of y then has the variance w'Gw + b |w|^2. Few runs may by luck differ
less than their questions alone make them differ: that is believed down to ``BELIEVED`` of it. The quantile is
Student's: with runs - 1 degrees of freedom where the runs' differences are all of the variance, with more, up to
questions - 1, the less they are.

Sources: A. B. Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1 (2), 386-411 (crossed random
effects); C. Cameron, J. Gelbach and D. Miller (2011), Robust inference with multiway clustering, Journal of Business &
Economic Statistics 29 (2), 238-249; degrees of freedom of an estimated variance: F. E. Satterthwaite (1946), Biometrics
Bulletin 2 (6), 110-114, here his ratio and not its square (which let too few intervals hold the truth where three runs
differ). ``bench/coverage.py`` measures how often they hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from aurify.statistics.intervals import COVERAGE

Floats = NDArray[np.float64]

ENOUGH_RUNS = 3
"""Fewer runs do not say how far runs differ: the interval is then that of these very runs."""
BELIEVED = 0.6
"""The share of the spread that questions alone give runs that must be there: with all of it intervals are too wide."""
CAUTION = 1.1
"""The variance is taken so much larger for the test. With the variance itself, methods whose runs differ much are told
apart in 5.0 to 5.1 % of equals (four designs, 4,000 simulations each), which leaves no room for runs that are not
normal."""


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class Added(NamedTuple):
    """Questions that are thought to have been asked too, so that answers that are all alike have no interval of 0."""

    answer: float
    """What every run answers; the least and the most of all of them bound the interval."""
    weight: float
    """The number of questions, or of answers where the runs' answers to a question have nothing in common."""


ACCURACY = (Added(0.0, 1.92), Added(1.0, 1.92))
"""Half the squared normal quantile of right answers, and of wrong ones.

Source: A. Agresti and B. A. Coull (1998), Approximate is better than "exact", American Statistician 52 (2), 119-126.
"""
DIFFERENCE = (Added(-1.0, 0.5), Added(0.0, 1.0), Added(1.0, 0.5))
"""Half an answer in each cell of the table of two methods' right and wrong answers.

Source: A. Agresti and Y. Min (2005), Simple improved confidence intervals for comparing matched proportions, Statistics
in Medicine 24 (5), 729-740.
"""


@dataclass(frozen=True)
class CrossedMean:
    """A mean over runs and questions."""

    interval: Interval
    p: float
    """Two-sided, of a mean of 0. Stricter than the interval where there are several runs: with runs - 1 degrees of
    freedom always, and ``CAUTION``, so that at most 5 % of zeros have a p below 0.05 whatever the runs' share is."""
    of_methods: bool
    """Whether the interval is about other runs too, not about these very runs alone."""


def crossed_mean(values_SQ: Floats, added: Sequence[Added] = ()) -> CrossedMean:
    """The mean of all values, each answer counting the same, with its interval.

    With fewer than ``ENOUGH_RUNS`` runs the variance between runs is left out.

    Args:
        values_SQ: a row a run, a column a question; NaN where the run was not asked the question. Of two methods, the
            differences of their answers.
        added: see ``Added``; the interval is about a mean that holds them, the value is not.

    Raises:
        ValueError: a run without a question.
    """
    asked_SQ = ~np.isnan(values_SQ)
    sizes_S = asked_SQ.sum(axis=1)
    if not values_SQ.size or not sizes_S.all():
        raise ValueError("a run without a question has no mean")
    answer_K = np.array([one.answer for one in added])
    count_K = np.array([one.weight for one in added]) * (_repetition(values_SQ) if added else 1.0)
    full_S = sizes_S + count_K.sum()
    means_S = (np.nansum(values_SQ, axis=1) + answer_K @ count_K) / full_S
    residual_SQ = np.where(asked_SQ, values_SQ - means_S[:, None], 0.0) / full_S[:, None]
    added_SK = (answer_K - means_S[:, None]) / full_S[:, None]
    questions = int(asked_SQ.any(axis=0).sum()) + count_K.sum()
    noise_SS = (residual_SQ @ residual_SQ.T + (added_SK * count_K) @ added_SK.T) * questions / max(questions - 1, 1)
    weight_S = full_S / full_S.sum()
    variance = cautious = noise = float(weight_S @ noise_SS @ weight_S)
    runs = len(values_SQ)
    freedom = strict = float(max(questions - 1, 1))
    if runs >= ENOUGH_RUNS:
        spread = float(means_S.var(ddof=1))
        chance = float((noise_SS.trace() - noise_SS.sum() / runs) / (runs - 1))  # what the questions alone make of it
        concentration = float(weight_S @ weight_S)
        variance = max(noise + (max(spread, BELIEVED * chance) - chance) * concentration, BELIEVED * noise)
        cautious = CAUTION * (noise + max(0.0, spread - chance) * concentration)
        strict = min(freedom, runs - 1.0)
        if spread:
            freedom = min(freedom, (runs - 1) * max(1.0, variance / (spread * concentration)))
    value, centre, error = float(np.nanmean(values_SQ)), float(weight_S @ means_S), variance**0.5
    if not error:
        return CrossedMean(Interval(value, value, value), 1.0 if value == 0 else 0.0, runs >= ENOUGH_RUNS)
    half = float(stdtrit(freedom, (1 + COVERAGE) / 2)) * error
    p = float(2 * stdtr(strict, -abs(centre) / cautious**0.5))
    least, most = (answer_K.min(), answer_K.max()) if added else (-np.inf, np.inf)
    low, high = float(max(centre - half, least)), float(min(centre + half, most))
    return CrossedMean(Interval(value, low, high), p, runs >= ENOUGH_RUNS)


def _repetition(values_SQ: Floats) -> float:
    """How far an answer of another run says the same again: 1 where all answers are alike, 1/S where they are new."""
    asked_SQ = ~np.isnan(values_SQ)
    residual_SQ = np.where(asked_SQ, values_SQ - np.nanmean(values_SQ, axis=1, keepdims=True), 0.0)
    apart = float((residual_SQ**2).sum())
    together = float((residual_SQ.sum(axis=0) ** 2).sum())
    answers_a_question = asked_SQ.sum() / asked_SQ.any(axis=0).sum()
    if not apart:
        return 1.0
    return float(np.clip(together / (apart * answers_a_question), 1 / answers_a_question, 1.0))


def persistence(values_SQ: Floats) -> float | None:
    """The share of the variance of answers within a run that is the question's own and so returns in the next run.

    The correlation of two runs' values on a question that both were asked, values less their run's mean: 0 where runs
    differ from one another at random, 1 where every run says the same. None without two runs that share questions, or
    where nothing varies.

    Args:
        values_SQ: as in ``crossed_mean``.
    """
    asked_SQ = ~np.isnan(values_SQ)
    residual_SQ = np.where(asked_SQ, values_SQ - np.nanmean(values_SQ, axis=1, keepdims=True), 0.0)
    shared_Q = asked_SQ.sum(axis=0)
    pairs = float((shared_Q * (shared_Q - 1)).sum())
    within = float((residual_SQ**2).sum())
    if not pairs or not within:
        return None
    products = float((residual_SQ.sum(axis=0) ** 2).sum()) - within
    return (products / pairs) / (within / float(asked_SQ.sum()))
