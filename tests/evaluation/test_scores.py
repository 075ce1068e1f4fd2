"""Scores of a group of questions."""

from __future__ import annotations

import pytest

from aurify.evaluation import Outcome, score
from aurify.statistics import Accuracy


def test_greedy_alone() -> None:
    scores = score([Outcome(True), Outcome(False), Outcome(True)], seed=0)
    assert list(scores) == ["greedy"]
    assert tuple(scores["greedy"]) == pytest.approx((2 / 3, *Accuracy.of([True, True, False])[2:]))


def test_all_numbers_of_a_pool_by_hand() -> None:
    outcomes = [
        Outcome(True, (True, False, False), (0, 1, 1)),
        Outcome(False, (True, True, False), (0, 0, None)),
    ]
    scores = score(outcomes, seed=3)
    assert list(scores) == ["greedy", "sampled", "maj@1", "maj@2", "maj@3", "pass@1", "pass@2", "pass@3"]
    means = {name: value.accuracy for name, value in scores.items()}
    assert means == pytest.approx(
        {
            "greedy": 0.5,
            "sampled": 0.5,
            "maj@1": 0.5,
            "maj@2": 0.75,
            "maj@3": 0.5,
            "pass@1": 0.5,
            "pass@2": 5 / 6,
            "pass@3": 1,
        }
    )
    assert all(value.low <= value.accuracy <= value.high for value in scores.values())
    assert (scores["maj@3"].low, scores["maj@3"].high) == (0.0, 1.0)
    assert score(outcomes, seed=3) == scores


def test_no_question_has_no_score() -> None:
    with pytest.raises(ValueError, match="no question"):
        score([], seed=0)
