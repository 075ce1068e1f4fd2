"""The tests behind ``aurify compare``: published values, coverage, and what is said when nothing can be told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from aurify.statistics.intervals import wilson
from aurify.statistics.paired import accuracy, bootstrap, compare_all, holm, mcnemar


def test_mcnemar_is_the_sign_test_on_discordant_answers():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 9) == pytest.approx(22 / 2**10)
    assert mcnemar(9, 1) == mcnemar(1, 9)


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, max(that, 0.03 * 2), max(that, 0.04 * 1); in the given order
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_run_has_wilsons_interval_and_several_one_over_seeds():
    right = np.arange(50) < 30
    assert accuracy([right]) == (0.6, *wilson(30, 50))
    same = accuracy([right, right, right])
    apart = accuracy([np.arange(50) < n for n in (10, 30, 50)])
    assert same.value == apart.value == pytest.approx(0.6)
    assert apart.high - apart.low > 2 * (same.high - same.low), "runs that differ make a wide interval"


def test_paired_bootstrap_is_near_the_t_interval_of_the_differences():
    differences = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], p=[0.1, 0.6, 0.3], size=400)
    found, expected = bootstrap([differences], 0), ttest_1samp(differences, 0).confidence_interval(0.95)
    assert found.low == pytest.approx(expected.low, abs=0.01)
    assert found.high == pytest.approx(expected.high, abs=0.01)
    assert bootstrap([differences], 0) == found


def answers(p: float, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < p


def test_a_real_difference_is_found_and_equal_methods_are_not_told_apart():
    right = {
        "good": [answers(0.8, 200, 1), answers(0.8, 200, 2)],
        "bad": [answers(0.5, 200, 3), answers(0.5, 200, 4)],
        "as bad": [answers(0.5, 200, 5), answers(0.5, 200, 6)],
    }
    better = {(pair.first, pair.second): pair.better for pair in compare_all(right)}
    assert better == {("good", "bad"): "good", ("good", "as bad"): "good", ("bad", "as bad"): None}
    against = compare_all(right, against="good")
    assert [(pair.first, pair.second, pair.better) for pair in against] == [
        ("bad", "good", "good"), ("as bad", "good", "good"),
    ]  # fmt: skip
    assert all(pair.p_holm >= pair.p for pair in against)


def test_one_lucky_seed_is_no_difference_between_methods():
    """Pooled answers differ beyond doubt, but all of it is one run: the interval over seeds says so."""
    equal = [answers(0.5, 200, seed) for seed in range(4)]
    lucky = [*equal[:3], np.ones(200, dtype=bool)]
    (pair,) = compare_all({"lucky": lucky, "other": equal})
    assert pair.p < 1e-6
    assert pair.difference.low <= 0
    assert pair.better is None


def test_equal_methods_are_rarely_told_apart():
    found = [
        compare_all({"a": [answers(0.6, 80, 2 * i)], "b": [answers(0.6, 80, 2 * i + 1)]})[0].better for i in range(60)
    ]
    assert sum(better is not None for better in found) <= 6  # 3 expected at most; exact tests are conservative
