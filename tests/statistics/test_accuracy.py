from __future__ import annotations

import pytest

from aurify.statistics import Accuracy


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_wilson_intervals(right: int, n: int, low: float, high: float) -> None:
    found = Accuracy.of([True] * right + [False] * (n - right))
    assert (found.right, found.n, found.value) == (right, n, right / n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_ends_are_exact_and_no_question_says_nothing() -> None:
    assert Accuracy.of([]) == (0, 0, 0.0, 1.0)
    assert Accuracy.of([False] * 7).low == 0.0
    assert Accuracy.of([True] * 7).high == 1.0
    assert Accuracy.of([True] * 7).low < 0.7
