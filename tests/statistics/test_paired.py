"""What is said of two methods: corrected tests, a winner that needs both, and runs that are too few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aurify.statistics import Accuracy
from aurify.statistics.crossed import Interval
from aurify.statistics.paired import Pair, accuracy, by_question, compare_all, holm


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, max(that, 0.03 * 2), max(that, 0.04 * 1); in the given order
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_winner_passes_both_tests_and_the_interval_and_needs_runs_enough():
    clear = Pair("a", "b", Interval(0.2, 0.1, 0.3), 30, 10, True, None, p_questions=0.01, p_runs=0.02, p_holm=0.04)
    assert (clear.p, clear.ahead, clear.better) == (0.02, "a", "a")
    assert replace(clear, difference=Interval(-0.2, -0.3, -0.1)).better == "b"
    assert replace(clear, of_methods=False).better is None
    assert replace(clear, of_methods=False).ahead == "a"
    for doubtful in (
        replace(clear, p_holm=0.05),
        replace(clear, difference=Interval(0.2, -0.01, 0.4)),
        replace(clear, difference=Interval(0.2, 0.0, 0.4)),
    ):
        assert doubtful.ahead is None


def test_questions_are_matched_by_id():
    found = by_question([{"b": True, "a": False}, {"c": 0.5, "a": 1.0}])
    assert np.array_equal(found, [[0, 1, np.nan], [1, np.nan, 0.5]], equal_nan=True)


def test_one_run_has_wilsons_interval_and_several_one_over_runs():
    right = (np.arange(50) < 30).astype(float)
    assert accuracy(right[None]) == (0.6, *Accuracy.of(right == 1)[2:])
    same = accuracy(np.stack([right] * 3))
    apart = accuracy(np.stack([np.arange(50) < n for n in (10, 30, 50)]).astype(float))
    assert same.value == apart.value == pytest.approx(0.6)
    assert same.high - same.low > 0.2, "three runs that say the same are no more than one"
    assert apart.high - apart.low > 2 * (same.high - same.low), "runs that differ make a wide interval"


def answers(p: float, seed: int, runs: int = 3, n: int = 200) -> np.ndarray:
    return (np.random.default_rng(seed).random((runs, n)) < p).astype(float)


def test_a_real_difference_is_found_and_equal_methods_are_not_told_apart():
    values = {"good": answers(0.8, 1), "bad": answers(0.5, 2), "as bad": answers(0.5, 3)}
    better = {(pair.first, pair.second): pair.better for pair in compare_all(values)}
    assert better == {("good", "bad"): "good", ("good", "as bad"): "good", ("bad", "as bad"): None}
    against = compare_all(values, against="good")
    assert [(pair.first, pair.second, pair.better) for pair in against] == [
        ("bad", "good", "good"), ("as bad", "good", "good"),
    ]  # fmt: skip
    assert all(pair.p_holm >= pair.p for pair in against)


@pytest.mark.parametrize("runs", [1, 2])
def test_few_runs_are_compared_and_not_their_methods(runs):
    (pair,) = compare_all({"good": answers(0.9, 1, runs), "bad": answers(0.4, 2, runs)})
    assert (pair.ahead, pair.better, pair.of_methods) == ("good", None, False)
    (pair,) = compare_all({"one": answers(0.5, 1, runs), "other": answers(0.5, 2, runs)})
    assert pair.ahead is None


def test_one_lucky_seed_is_no_difference_between_methods():
    """Over the questions the answers differ beyond doubt, but all of it is one run."""
    equal = answers(0.5, 0, runs=4)
    lucky = np.concatenate([answers(0.5, 1, runs=3), np.ones((1, 200))])
    (pair,) = compare_all({"lucky": lucky, "other": equal})
    assert pair.p_questions < 1e-3
    assert pair.difference.low <= 0
    assert pair.better is None


def test_a_lucky_set_of_questions_is_no_difference_between_methods():
    """Every run says the same of ten questions that happen to favour one method: ten runs are no hundred questions."""
    one = np.array([1.0] * 12 + [0.0] * 5)
    (pair,) = compare_all({"a": np.repeat(one[None], 10, axis=0), "b": np.repeat(1 - one[None], 10, axis=0)})
    assert (pair.only_first, pair.only_second) == (120, 50)
    assert pair.p_questions == pytest.approx(0.1435, abs=1e-3)  # 12 of 17
    assert (pair.better, pair.persistence) == (None, pytest.approx(1))


def test_few_questions_name_no_winner_however_alike_the_runs():
    """Of the 2^5 signs that five questions may have, two are as far from 0: the t test alone would name one."""
    scores = np.random.default_rng(0).normal(10, 3, size=(3, 5))
    (pair,) = compare_all({"a": scores + np.array([1.0, 1.1, 0.9, 1.2, 0.8]), "b": scores})
    assert pair.p_questions == pytest.approx(2 / 2**5)
    assert pair.p_runs < 0.01
    assert pair.difference.low > 0
    assert (pair.ahead, pair.better, pair.p_holm) == (None, None, pair.p_questions)


def test_equal_methods_are_rarely_told_apart():
    found = [compare_all({"a": answers(0.6, 2 * i, n=80), "b": answers(0.6, 2 * i + 1, n=80)})[0] for i in range(60)]
    assert sum(pair.better is not None for pair in found) <= 6


def test_scores_of_any_size_are_compared():
    scores = np.random.default_rng(0).normal(10, 3, size=(1, 60))
    (pair,) = compare_all({"a": scores + 5, "b": scores})
    assert pair.ahead == "a"
    assert pair.difference.value == pytest.approx(5)
    assert accuracy(scores).high > 1
