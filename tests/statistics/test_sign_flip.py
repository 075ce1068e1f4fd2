from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from aurify.statistics.sign_flip import sign_flip


def flipped(totals: np.ndarray) -> float:
    """The p by writing down every pattern of signs."""
    sums = np.array([np.dot(signs, totals) for signs in product((-1, 1), repeat=len(totals))])
    return float((np.abs(sums) >= abs(totals.sum()) - 1e-9).mean())


@pytest.mark.parametrize(("first", "second"), [(5, 0), (1, 9), (9, 1), (3, 3), (40, 20)])
def test_with_one_run_it_is_mcnemars_exact_test(first: int, second: int) -> None:
    values = np.array([[1.0] * first + [-1.0] * second + [0.0] * 7])
    assert sign_flip(values) == pytest.approx(binomtest(first, first + second).pvalue)


def test_nothing_that_differs_is_no_evidence() -> None:
    assert sign_flip(np.zeros((2, 5))) == 1.0
    assert sign_flip(np.array([[1.0, -1.0], [-1.0, 1.0]])) == 1.0


@pytest.mark.parametrize("difference", [1.0, -3.0, 0.5, -0.25])
def test_one_question_that_differs_is_no_evidence(difference: float) -> None:
    assert sign_flip(np.array([[difference, 0.0, np.nan]])) == 1.0


def test_several_runs_are_summed_by_question_first() -> None:
    values_SQ = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], p=[0.1, 0.4, 0.5], size=(3, 9))
    values_SQ[0, 0] = np.nan
    assert sign_flip(values_SQ) == pytest.approx(flipped(np.nansum(values_SQ, axis=0)))
    one = np.array([[1.0] * 6 + [-1.0]])
    assert sign_flip(np.repeat(one, 10, axis=0)) == pytest.approx(sign_flip(one)), "the same runs say no more than one"


def test_scores_that_are_no_whole_numbers() -> None:
    values_SQ = np.random.default_rng(1).normal(0.3, 1, size=(1, 12))
    assert sign_flip(values_SQ) == pytest.approx(flipped(values_SQ[0]), abs=0.01)
    assert sign_flip(values_SQ) == sign_flip(values_SQ)
