from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from aurify.statistics import bootstrap_means, wilson


@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_equals_scipy(n: int, share: float, level: float) -> None:
    successes = round(share * n)
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_published_value() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_ends_are_exact() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes of"):
        wilson(successes, n)


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
    assert [bound.tolist() for bound in bootstrap_means(np.full((4, 1), 0.25), seed=0)] == [[0.25], [0.25]]
