from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from aurify.statistics import bootstrap_means


def test_bootstrap_is_near_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).beta(2, 5, size=(400, 1))
    low, high = bootstrap_means(values, seed=1)
    half_width = 1.96 * values.std() / 20
    assert low[0] == pytest.approx(values.mean() - half_width, abs=0.1 * half_width)
    assert high[0] == pytest.approx(values.mean() + half_width, abs=0.1 * half_width)


def test_bootstrap_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(100):
        (low,), (high,) = bootstrap_means(random.uniform(size=(60, 1)), seed=trial, resamples=300)
        covered += low <= 0.5 <= high
    assert 88 <= covered <= 100  # 95 expected, standard deviation 2.2; the percentile interval is a little narrow


def test_bootstrap_resamples_rows_and_depends_on_its_seed_alone() -> None:
    values = np.random.default_rng(3).uniform(size=(30, 2))
    values[:, 1] = 1 - values[:, 0]
    low, high = bootstrap_means(values, seed=5)
    assert low[0] == pytest.approx(1 - high[1], abs=1e-12)
    assert bootstrap_means(values, seed=5)[0].tolist() == low.tolist()
    assert bootstrap_means(values, seed=6)[0].tolist() != low.tolist()


def test_rows_that_are_all_alike_have_no_interval_of_nothing() -> None:
    """As wide as Clopper and Pearson's for all of 80; and hardly wider than the bootstrap where rows differ."""
    (low,), (high,) = bootstrap_means(np.ones((80, 1)), seed=0)
    assert (low, high) == (pytest.approx(binomtest(80, 80).proportion_ci(0.95).low), 1.0)
    (low,), (high,) = bootstrap_means(np.zeros((80, 1)), seed=0)
    assert (low, high) == (0.0, pytest.approx(binomtest(0, 80).proportion_ci(0.95).high))
    (low,), (high,) = bootstrap_means(np.zeros((80, 1)), seed=0, least=-1.0)
    assert low == -high < 0
    nearly = np.ones((80, 1))
    nearly[0] = 0.9
    assert bootstrap_means(nearly, seed=0)[0][0] < 0.96
