"""Calibration and the measures of a ranker, against hand-made cases and scipy's and brute-force results."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from aurify.voting.calibration import Calibration, calibrate
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies


def overconfident(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.uniform(0.05, 0.95, n)
    return expit(3 * logit(truth)), random.random(n) < truth


def test_slope_is_found() -> None:
    scores, right = overconfident()
    found = calibrate(scores, right, "sigmoid")
    assert (found.slope, found.bias) == (pytest.approx(1 / 3, rel=0.1), pytest.approx(0, abs=0.1))
    assert calibration_error(found(scores), right) < 0.03 < calibration_error(scores, right)


def test_isotonic_is_monotone_and_calibrated() -> None:
    scores, right = overconfident()
    found = calibrate(scores, right, "isotonic")
    assert calibration_error(found(scores), right) < 0.03
    grid = found(np.linspace(0, 1, 101))
    assert (np.diff(grid) >= 0).all()
    assert grid.min() >= 0
    assert grid.max() <= 1


def test_isotonic_by_hand() -> None:
    right = np.array([False, False, False, True, False, True, True, True])
    found = calibrate(np.linspace(0.1, 0.8, 8), right, "isotonic")
    # three wrong ones and the one thought right; 0.4 and 0.5 in the wrong order; three right ones and one thought wrong
    assert found(np.array([0.1, 0.3, 0.4, 0.45, 0.5, 0.6, 0.8])) == pytest.approx(
        [0.25, 0.25, 0.5, 0.5, 0.5, 0.75, 0.75]
    )
    assert found(np.array([0.0, 0.35, 1.0])) == pytest.approx([0.25, 0.375, 0.75])


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("rate", [0.05, 0.12, 0.3, 0.5, 0.7, 0.86, 0.95])
def test_scores_learned_from_as_many_right_as_wrong_fit_any_share_of_right_ones(kind: str, rate: float) -> None:
    """A ranker of balanced pairs scores P(right) as if half were right; its calibration must shift it."""
    random = np.random.default_rng(int(100 * rate))

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        right = random.random(n) < rate
        return expit(random.normal(np.where(right, 1.0, -1.0), 1.4)), right

    found, (scores, right) = calibrate(*drawn(1500), kind), drawn(6000)  # type: ignore[arg-type]
    assert calibration_error(found(scores), right) <= 0.045
    assert calibration_error(scores, right) > 0.1 or abs(rate - 0.5) < 0.25
    assert abs(area_under_curve(found(scores), right) - area_under_curve(scores, right)) < 0.02
    beyond = found(np.array([0.0, 1e-9, 1 - 1e-9, 1.0]))
    assert (beyond > 0).all()
    assert (beyond < 1).all()


def test_isotonic_is_level_beyond_its_scores() -> None:
    scores = np.linspace(0.3, 0.6, 200)
    found = calibrate(scores, np.random.default_rng(0).random(200) < scores, "isotonic")
    low, high = found(np.array([0.3, 0.6]))
    assert found(np.array([0.0, 0.1, 0.9, 1.0])).tolist() == [low, low, high, high]
    assert 0.1 < low < high < 0.9


def test_an_order_is_never_turned_around() -> None:
    scores = np.linspace(0.1, 0.9, 50)
    found = calibrate(scores, scores < 0.5, "sigmoid")
    assert (np.diff(found(scores)) >= 0).all()
    assert calibrate(scores, scores > 0.5, "sigmoid")(scores).max() < 1, "a perfect sample is not certainty"


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("right", [True, False])
def test_scores_of_right_ones_alone_or_of_wrong_ones_alone_tell_the_share(kind: str, right: bool) -> None:
    """A small sample of a model that is nearly always right, or wrong, holds none of the other kind."""
    random = np.random.default_rng(3)
    rate = 0.99 if right else 0.01
    found = calibrate(expit(random.normal(0, 1.4, 40)), np.full(40, right), kind)  # type: ignore[arg-type]
    truth = random.random(4000) < rate
    scores = expit(random.normal(np.where(truth, 1.0, -1.0), 1.4))
    assert calibration_error(found(scores), truth) < 0.06 < calibration_error(scores, truth)
    if kind == "sigmoid":
        assert (np.argsort(found(scores)) == np.argsort(scores)).all()
    assert 0 < found(scores).min() <= found(scores).max() < 1


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic", "none"])
def test_nothing_to_learn_from_changes_nothing(kind: str) -> None:
    assert calibrate(np.zeros(0), np.zeros(0, bool), kind) == Calibration()  # type: ignore[arg-type]
    assert Calibration()(np.array([0.0, 0.25, 1.0])).tolist() == [0.0, 0.25, 1.0]


def test_order_is_kept() -> None:
    scores, right = overconfident(300)
    for kind in ("sigmoid", "isotonic"):
        order = np.argsort(scores)
        assert (np.diff(calibrate(scores, right, kind)(scores)[order]) >= -1e-12).all()  # type: ignore[arg-type]


def test_pairs_within_a_question_only() -> None:
    scores = [np.array([0.9, 0.1, 0.1]), np.array([0.5, 0.6]), np.array([0.2, 0.3])]
    right = [np.array([True, False, True]), np.array([True, False]), np.array([True, True])]
    assert pair_accuracies(scores, right).tolist() == [0.75, 0.0]  # 0.1 against 0.1 is half a pair; the last has none


def test_area_under_curve_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(1)
    scores, right = random.integers(0, 5, 60) / 5, random.random(60) < 0.4
    above, below = scores[right], scores[~right]
    difference = above[:, None] - below[None]
    assert area_under_curve(scores, right) == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())
    assert area_under_curve(scores, np.ones(60, bool)) == 0.5


def test_calibration_error_by_hand() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0
    assert calibration_error(np.zeros(0), np.zeros(0, bool)) == 0
