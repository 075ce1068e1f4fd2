"""What a few samples of each question tell of all questions."""

from __future__ import annotations

import numpy as np
import pytest

from aurify.statistics.pass_rates import PassRates


@pytest.mark.parametrize(("a", "b"), [(1.0, 3.0), (0.3, 0.3), (8.0, 2.0)])
def test_the_shares_are_those_of_the_questions(a, b):
    """4,000 questions, 4 samples each, of a known distribution; the truth is simulated apart."""
    random = np.random.default_rng(0)
    found = PassRates(random.binomial(4, random.beta(a, b, 4000)), 4)
    p = random.beta(a, b, 200_000)
    for share, truth in (
        (found.right(), p),
        (found.never_in(8), (1 - p) ** 8),
        (found.pure_in(8), p**8 + (1 - p) ** 8),
    ):
        assert share.low - 0.02 <= truth.mean() <= share.high + 0.02
        assert share.mean == pytest.approx(truth.mean(), abs=0.03)


def test_intervals_cover_and_shrink_with_questions():
    """Simulated 100 times with 16 questions: the share that is never right lies in the interval 9 times in 10."""
    random = np.random.default_rng(1)
    truth = ((1 - random.beta(0.8, 1.5, 100_000)) ** 8).mean()
    hits = widths = 0.0
    for _ in range(100):
        share = PassRates(random.binomial(4, random.beta(0.8, 1.5, 16)), 4).never_in(8)
        hits += share.low <= truth <= share.high
        widths += (share.high - share.low) / 100
    assert hits >= 88
    wide = PassRates(random.binomial(4, random.beta(0.8, 1.5, 1600)), 4).never_in(8)
    assert wide.high - wide.low < widths / 4


def test_nothing_right_does_not_mean_never():
    found = PassRates(np.zeros(16, dtype=np.int64), 4)
    assert 0 < found.right().mean < 0.05
    assert found.never_in(8).mean > 0.8
    assert found.pure_in(1).mean == pytest.approx(1.0)


def test_everything_right_is_the_mirror_of_nothing_right():
    none, all_right = PassRates(np.zeros(16, dtype=np.int64), 4), PassRates(np.full(16, 4), 4)
    assert all_right.pure_in(8).mean == pytest.approx(none.pure_in(8).mean)
    assert all_right.right().mean == pytest.approx(1 - none.right().mean)


def test_the_mean_over_questions_is_uniform_before_anything_is_known():
    """Of one question with one sample the posterior of that mean is its density times itself: 2/3, and 1/3."""
    for right, expected in ((1, 2 / 3), (0, 1 / 3)):
        assert PassRates(np.array([right]), 1).right().mean == pytest.approx(expected, abs=1e-3)
