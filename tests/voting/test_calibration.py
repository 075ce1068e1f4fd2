"""Calibration and the measures of a ranker, against hand-made cases and scipy's and brute-force results."""

from __future__ import annotations

import numpy as np
import pytest

from aurify.voting.calibration import Calibration, calibrate, logit, sigmoid
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies


def overconfident(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.uniform(0.05, 0.95, n)
    return sigmoid(3 * logit(truth)), random.random(n) < truth


def test_temperature_is_found() -> None:
    scores, right = overconfident()
    found = calibrate(scores, right, "temperature")
    assert found.temperature == pytest.approx(3, rel=0.1)
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
    found = calibrate(np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True]), "isotonic")
    # 0.2 and 0.3 violate the order and are pooled at 0.25 with mean 0.5
    assert found(np.array([0.1, 0.25, 0.4])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_nothing_to_learn_changes_nothing(kind: str) -> None:
    for right in (np.array([True, True]), np.array([False, False]), np.array([True])):
        assert calibrate(np.full(len(right), 0.3), right, kind) == Calibration()  # type: ignore[arg-type]
    assert Calibration()(np.array([0.0, 0.25, 1.0])).tolist() == [0.0, 0.25, 1.0]


def test_order_is_kept() -> None:
    scores, right = overconfident(300)
    for kind in ("temperature", "isotonic"):
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
