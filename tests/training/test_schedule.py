from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurify.training.schedule import ROUND, batch_of_step, fit_starts, learning_rate, rounds_of


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 3))
def test_an_epoch_visits_no_item_twice_and_a_batch_is_full(n, size, seed):
    items = list(range(n))
    per_epoch = n // min(size, n)
    seen: Counter[int] = Counter()
    for step in range(1, per_epoch + 1):
        batch = batch_of_step(items, size, step, seed)
        assert len(batch) == min(size, n)
        seen.update(batch)
    assert max(seen.values()) == 1


def test_batches_are_a_function_of_seed_and_step():
    items = list(range(100))
    assert batch_of_step(items, 8, 30, seed=1) == batch_of_step(items, 8, 30, seed=1)
    assert batch_of_step(items, 8, 30, seed=1) != batch_of_step(items, 8, 30, seed=2)
    assert batch_of_step(items, 8, 30, seed=1) != batch_of_step(items, 8, 42, seed=1)


def test_the_rate_warms_up_peaks_and_ends_at_its_share():
    rates = [learning_rate(step, 100, peak=2.0, final=0.1, warmup=10) for step in range(1, 101)]
    assert rates[0] == pytest.approx(2.0 / 11)
    assert max(rates) == rates[10] == 2.0
    assert rates[-1] == pytest.approx(0.2)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_one_step_is_at_the_peak():
    assert learning_rate(1, 1, peak=3.0, final=0.1, warmup=0) == 3.0


def test_fits_grow_and_share_the_steps():
    assert fit_starts(100, 6, 1.2) == [1, 11, 23, 38, 55, 76]
    assert fit_starts(90, 3, 1.0) == [1, 31, 61]
    assert fit_starts(7, 1, 1.0) == [1]
    assert fit_starts(7, 0, 1.0) == []
    assert fit_starts(2, 5, 1.0) == [1, 2]


@settings(deadline=None, max_examples=40)
@given(st.integers(ROUND, 1500), st.integers(1, 200), st.integers(2, 6), st.integers(0, 3))
def test_a_question_is_visited_so_often_before_others_follow(n, size, visits, seed):
    rounds, step, before = rounds_of(n, size, visits), 0, set()
    if rounds == 1:
        assert batch_of_step(range(n), size, 3, seed, visits) == batch_of_step(range(n), size, 3, seed)
        return
    for place in range(rounds):
        length = n // rounds + (place < n % rounds)
        assert length >= max(ROUND, 4 * size)
        here: Counter[int] = Counter()
        for _ in range(visits):
            epoch: Counter[int] = Counter()
            for _ in range(length // size):
                step += 1
                epoch.update(batch_of_step(range(n), size, step, seed, visits))
            assert set(epoch.values()) == {1}
            assert len(epoch) == length // size * size
            here += epoch
        assert len(here) <= length
        assert not before & here.keys()
        before |= here.keys()
    again = [batch_of_step(range(n), size, number, seed, visits) for number in (1, step + 1)]
    assert again[0] != again[1], "the next rounds are others"


def test_when_all_rounds_have_ended_the_questions_are_divided_anew():
    """Of the questions that stood together in a round, about half do so again, where there are two rounds."""
    n, size, visits = 2 * ROUND, 64, 2
    steps = visits * (ROUND // size)

    def asked(first):
        return {i for step in range(first, first + steps) for i in batch_of_step(range(n), size, step, 1, visits)}

    first, second, next_first, next_second = (asked(1 + place * steps) for place in range(4))
    assert first | second == next_first | next_second == set(range(n))
    assert 0.35 * ROUND < len(first & next_first) < 0.65 * ROUND


def test_one_visit_and_few_questions_are_plain_epochs():
    for n, visits in ((2000, 1), (2 * ROUND - 1, 5), (10, 5)):
        assert rounds_of(n, 64, visits) == 1
        for step in (1, 7, 40):
            assert batch_of_step(range(n), 64, step, 2, visits) == batch_of_step(range(n), 64, step, 2)
    assert rounds_of(2 * ROUND, 64, 2) == 2
    assert rounds_of(2 * ROUND, 65, 2) == 1, "a round has four steps at least"
