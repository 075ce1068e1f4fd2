"""Means over runs that share questions: against known formulas, by simulation, and where all answers are alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from aurify.statistics.crossed import ACCURACY, CAUTION, DIFFERENCE, Interval, crossed_mean, persistence


def differences(seed: int, runs: int, questions: int) -> np.ndarray:
    return np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], p=[0.1, 0.6, 0.3], size=(runs, questions))


def test_one_run_has_the_t_interval_over_its_questions():
    values_SQ = differences(0, 1, 400)
    found, expected = crossed_mean(values_SQ), ttest_1samp(values_SQ[0], 0)
    assert tuple(found.interval)[1:] == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert not found.of_methods


def test_runs_that_all_say_the_same_count_as_one():
    one = differences(1, 1, 80)
    ten, once = crossed_mean(np.repeat(one, 10, axis=0)), crossed_mean(one)
    assert ten.interval == pytest.approx(once.interval)


def test_runs_on_questions_of_their_own_count_as_so_many_more():
    apart = np.full((4, 320), np.nan)
    for run, own in enumerate(differences(2, 4, 80)):
        luck = (run - 1.5) * own.std() / 80**0.5 / 1.25**0.5 * (3 / 4) ** 0.5  # as much as their questions make of it
        apart[run, 80 * run : 80 * (run + 1)] = own - own.mean() + 0.1 + luck
    together = crossed_mean(apart[~np.isnan(apart)][None]).interval
    found = crossed_mean(apart).interval
    assert found.value == pytest.approx(together.value)
    assert found.high - found.low == pytest.approx((together.high - together.low) * 3.18 / 1.97, rel=0.1)


def own_questions(rows):
    """Runs that share no question, one behind the other."""
    apart = np.full((len(rows), sum(map(len, rows))), np.nan)
    begin = 0
    for run, row in enumerate(rows):
        apart[run, begin : begin + len(row)] = row
        begin += len(row)
    return apart


def test_runs_on_questions_of_their_own_that_differ_have_students_interval_over_their_means():
    """What the questions alone make of the spread is then a part of it, and is not counted twice."""
    rows = differences(5, 5, 20) + np.array([[-0.4], [0.5], [0.1], [0.9], [0.2]])
    found, expected = crossed_mean(own_questions(rows)).interval, ttest_1samp(rows.mean(axis=1), 0)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-9)


def test_runs_that_are_alike_by_luck_are_believed_in_part():
    """Three runs of the same mean on questions of their own: 0.6 of the variance of the twelve answers' mean."""
    found = crossed_mean(own_questions([[0.0, 1.0, 0.0, 1.0]] * 3)).interval
    half = student.ppf(0.975, 11) * (0.6 * 0.25 / 11) ** 0.5
    assert found == pytest.approx((0.5, 0.5 - half, 0.5 + half))


def test_added_questions_are_so_many_in_all_where_the_runs_answers_are_independent():
    """Two runs with three of four right: that the second is, says nothing of the first, or says the same again."""
    independent = np.array([[1.0] * 12 + [0.0] * 4, ([1.0] * 9 + [0.0] * 3) + ([1.0] * 3 + [0.0])])
    alike = np.repeat(independent[:1], 2, axis=0)
    added = ACCURACY[0].weight
    for values_SQ, weight in ((independent, added / 2), (alike, added)):
        found = crossed_mean(values_SQ, ACCURACY).interval
        assert (found.low + found.high) / 2 == pytest.approx((12 + weight) / (16 + 2 * weight))


def test_the_order_of_runs_and_questions_does_not_matter_nor_do_questions_nobody_was_asked():
    values_SQ = differences(3, 4, 50)
    values_SQ[0, :5] = np.nan
    random = np.random.default_rng(0)
    other = values_SQ[random.permutation(4)][:, random.permutation(50)]
    other = np.concatenate([other, np.full((4, 7), np.nan)], axis=1)
    assert crossed_mean(other, DIFFERENCE).interval == pytest.approx(crossed_mean(values_SQ, DIFFERENCE).interval)


def test_runs_that_differ_have_students_interval_over_runs():
    """Many questions, so that hardly anything but the runs' own means varies."""
    means = np.array([0.1, 0.4, 0.2, 0.6])
    values_SQ = np.repeat(means[:, None], 3000, axis=1)
    found, expected = crossed_mean(values_SQ), ttest_1samp(means, 0)
    assert tuple(found.interval)[1:] == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-9)
    cautious = 2 * student.sf(expected.statistic / CAUTION**0.5, 3)
    assert found.p == pytest.approx(cautious, rel=1e-6)
    assert expected.pvalue < found.p < 1.3 * expected.pvalue
    assert found.of_methods


def test_two_runs_do_not_say_how_far_runs_differ():
    values_SQ = np.stack([differences(5, 1, 200)[0], np.ones(200)])
    found = crossed_mean(values_SQ)
    assert not found.of_methods
    assert found.interval.high - found.interval.low < 0.2  # of these two runs


@pytest.mark.parametrize("runs", [1, 2, 3, 10])
def test_answers_that_are_all_alike_have_no_interval_of_nothing(runs):
    right = crossed_mean(np.ones((runs, 80)), ACCURACY).interval
    assert (right.value, right.high) == (1.0, 1.0)
    assert 0.93 < right.low < 0.97
    wrong = crossed_mean(np.zeros((runs, 80)), ACCURACY).interval
    assert (wrong.low, wrong.high) == pytest.approx((0.0, 1 - right.low))
    equal = crossed_mean(np.zeros((runs, 80)), DIFFERENCE)
    assert equal.interval.value == 0
    assert 0.01 < equal.interval.high == pytest.approx(-equal.interval.low)
    assert equal.p == 1


def test_without_added_questions_constants_are_points():
    assert crossed_mean(np.full((2, 3), 0.5)).interval == Interval(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="a run without a question"):
        crossed_mean(np.array([[1.0], [np.nan]]))


def test_persistence_is_the_correlation_of_runs():
    random = np.random.default_rng(6)
    own, noise = random.standard_normal(4000), random.standard_normal((3, 4000))
    assert persistence(np.sqrt(0.3) * own + np.sqrt(0.7) * noise + [[0], [1], [5]]) == pytest.approx(0.3, abs=0.04)
    assert persistence(noise) == pytest.approx(0, abs=0.04)
    assert persistence(np.stack([own, own])) == pytest.approx(1)
    assert persistence(own[None]) is None
    assert persistence(np.zeros((3, 5))) is None


@pytest.mark.parametrize(("runs", "questions", "luck"), [(5, 80, 0.0), (3, 300, 0.1), (10, 80, 0.05), (1, 80, 0.0)])
def test_the_interval_holds_the_truth_as_often_as_it_says(runs, questions, luck):
    """``bench/coverage.py`` in small: shared questions, differences that persist, runs with a luck of their own."""
    random = np.random.default_rng(runs)
    covered = winners = 0
    for _ in range(400):
        own, noise = random.standard_normal((1, questions)), random.standard_normal((runs, questions))
        values_SQ = 0.4 * (own + noise) + luck * random.standard_normal((runs, 1))
        found = crossed_mean(values_SQ)
        covered += found.interval.low <= 0 <= found.interval.high
        winners += found.p < 0.05
    assert 0.92 <= covered / 400 <= 0.995  # standard error 0.011
    assert winners / 400 <= 0.08
