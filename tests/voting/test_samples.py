"""pass@k and maj@k against enumeration and by hand."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.voting.samples import majority, majority_at_k, pass_at_k, sizes


@pytest.mark.parametrize("n", range(1, 8))
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_right_sample(n: int) -> None:
    for k in range(1, n + 1):
        for c in range(n + 1):
            right = [index < c for index in range(n)]
            share = sum(any(subset) for subset in combinations(right, k)) / comb(n, k)
            assert pass_at_k(n, np.array([c]), k)[0] == pytest.approx(share, abs=1e-14)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_pass_at_k_is_unbiased(p: float) -> None:
    n, k = 6, 3
    expected = sum(
        p ** sum(drawn) * (1 - p) ** (n - sum(drawn)) * pass_at_k(n, np.array([sum(drawn)]), k)[0]
        for drawn in product((0, 1), repeat=n)
    )
    assert expected == pytest.approx(1 - (1 - p) ** k, abs=1e-12)


def test_pass_at_k_by_hand() -> None:
    # 4 samples, 1 right: of the 6 pairs 3 hold it. Of all four samples: any right one is enough.
    assert pass_at_k(4, np.array([0, 1, 4]), 2).tolist() == [0.0, 0.5, 1.0]
    assert pass_at_k(4, np.array([0, 1, 4]), 4).tolist() == [0.0, 1.0, 1.0]
    assert pass_at_k(4, np.array([0, 1, 4]), 1).tolist() == [0.0, 0.25, 1.0]
    assert pass_at_k(5000, np.array([2]), 2500)[0] == pytest.approx(1 - 0.5 * 2499 / 4999)  # no overflow


@pytest.mark.parametrize("k", [0, 5])
def test_more_samples_than_there_are_is_an_error(k: int) -> None:
    with pytest.raises(ValueError, match="of 4 samples"):
        pass_at_k(4, np.array([1]), k)
    with pytest.raises(ValueError, match="of 4 samples"):
        majority_at_k(np.zeros((1, 4), dtype=np.int64), np.zeros((1, 4), dtype=bool), k)


@pytest.mark.parametrize(
    ("groups", "right", "credit"),
    [
        ([0, 0, 1], [1, 1, 0], 1.0),
        ([0, 1, 1], [1, 0, 0], 0.0),
        ([0, 1], [1, 0], 0.5),  # a tie of two
        ([0, 1, 2, 2, 1, 0, 3], [0, 1, 0, 0, 1, 0, 0], 1 / 3),  # of three
        ([0, 1], [0, 0], 0.0),
        ([-1, -1, -1, 0], [0, 0, 0, 1], 1.0),  # what cannot be read never wins
        ([-1, -1], [0, 0], 0.0),
        ([-1], [1], 0.0),
        ([], [], 0.0),
        ([0], [1], 1.0),
    ],
)
def test_majority_by_hand(groups: list[int], right: list[int], credit: float) -> None:
    assert majority(np.array(groups, dtype=np.int64), np.array(right, dtype=bool)) == pytest.approx(credit)


@given(st.permutations(range(3)), st.lists(st.integers(-1, 2), max_size=9))
def test_majority_depends_neither_on_the_groups_numbers_nor_on_the_order(names: list[int], groups: list[int]) -> None:
    def credit(groups: list[int], right_group: int) -> float:
        return majority(np.array(groups, dtype=np.int64), np.array(groups, dtype=np.int64) == right_group)

    renamed = [names[group] if group >= 0 else group for group in groups]
    assert credit(renamed, names[0]) == credit(groups, 0)
    assert credit(groups[::-1], 0) == credit(groups, 0)


def test_majority_at_k_averages_runs_that_share_no_sample() -> None:
    groups = np.array([[0, 0, 1, 1, 1], [0, 1, 1, -1, -1]])
    right = groups == np.array([[0], [1]])
    assert majority_at_k(groups, right, 1).tolist() == right.mean(axis=1).tolist()
    assert majority_at_k(groups, right, 2).tolist() == [0.5, 0.75]  # 00 | 11 and 01 | 1-; the fifth is left over
    assert majority_at_k(groups, right, 4).tolist() == [0.5, 1.0]
    assert majority_at_k(groups, right, 5).tolist() == [0.0, 1.0]


def test_majority_at_k_is_unbiased() -> None:
    p, n, k = 0.6, 4, 2  # right with p, and one and the same wrong answer else

    def expected(size: int, credit: object) -> float:
        total = 0.0
        for drawn in product((0, 1), repeat=size):
            groups = np.array([drawn], dtype=np.int64)
            share = p ** drawn.count(0) * (1 - p) ** drawn.count(1)
            total += share * credit(groups, groups == 0)  # type: ignore[operator]  # a parametrized function is an object
        return total

    of_runs = expected(n, lambda groups, right: majority_at_k(groups, right, k)[0])
    of_k = expected(k, lambda groups, right: majority(groups[0], right[0]))
    assert of_runs == pytest.approx(of_k, abs=1e-12)


def test_sizes_are_the_powers_of_two_and_the_whole_pool() -> None:
    assert [sizes(n) for n in (0, 1, 2, 3, 8, 12)] == [[], [1], [1, 2], [1, 2, 3], [1, 2, 4, 8], [1, 2, 4, 8, 12]]
