"""What bench/speed.py concludes from its measurements."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def part(monkeypatch):
    """Imports one of speed_parts, and forgets it after the test."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield lambda name: import_module(f"speed_parts.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "speed_parts"]:
        del sys.modules[name]


def test_a_failing_competitor_is_left_out_with_its_reason_and_the_others_go_on(part):
    def fails(turn):
        if turn == 2:
            raise ValueError("no\nmore")
        return 1.0

    found = part("shared").interleaved({"good": lambda turn: 3.0, "bad": fails}, repeats=5, limit_s=60)
    assert len(found["good"].seconds) == 5
    assert found["good"].cell(5).count("n=") == 0
    assert len(found["bad"].seconds) == 1
    assert found["bad"].error == "fails: ValueError: no"


def test_a_competitor_over_its_limit_runs_once_and_says_so(part):
    found = part("shared").interleaved({"slow": lambda turn: 1.0}, repeats=5, limit_s=0)
    assert len(found["slow"].seconds) == 1
    assert found["slow"].cell(5).endswith("(n=1)")


def test_the_exponent_of_a_power_law_is_its_power(part):
    assert part("shared").exponent([1, 10, 100], [3, 3 * 10**1.5, 3 * 10**3]) == pytest.approx(1.5)


def test_time_to_accuracy_is_that_of_the_first_evaluation_that_has_it(part):
    accuracy = part("accuracy")
    curve = [(0, 0.0, 0.3), (5, 7.0, 0.8), (10, 14.0, 0.7), (15, 21.0, 0.8)]
    assert accuracy.best_of(curve) == 0.8
    assert accuracy.time_to(curve, 0.75) == 7.0
    assert accuracy.time_to(curve, 0.81) == float("inf")


def test_beside_the_best_stands_the_time_to_near_it_where_both_reach_that(part):
    near = part("accuracy").near
    theirs, ours = [(0, 0.0, 0.3), (5, 20.0, 0.96)], [(0, 0.0, 0.3), (5, 5.0, 0.97)]
    assert near(theirs, ours) == ["20.0", "5.0", "0.250"]
    assert near(theirs, ours[:1]) == ["20.0", "-", "-"]
    assert near([(0, 0.0, 1.0)], ours) == ["0.0", "5.0", "-"], "nothing to divide by"


def test_rates_are_chosen_by_trls_best_and_by_our_time_to_it(part):
    accuracy = part("accuracy")

    def job(side, rate):
        return accuracy.Job(side, 100, rate, 10)

    trials = {
        job("TRL", 0.1): [(0, 0.0, 0.3), (5, 9.0, 0.6)],
        job("TRL", 0.2): [(0, 0.0, 0.3), (5, 20.0, 0.7)],
        job("TRL", 0.3): None,
        job("aurify", 0.1): [(0, 0.0, 0.3), (5, 3.0, 0.65), (10, 6.0, 0.7)],
        job("aurify", 0.2): [(0, 0.0, 0.3), (5, 4.0, 0.7)],
        job("aurify", 0.3): [(0, 0.0, 0.3), (5, 1.0, 0.69)],
    }
    assert accuracy.choose(trials) == {"TRL": 0.2, "aurify": 0.2}


def test_generate_is_tried_in_every_order_of_batches_smaller_than_all(part):
    trials = part("sampler").trials
    assert trials(16, thorough=True) == [(16, False)]
    assert trials(64, thorough=True) == [(16, False), (16, True), (64, False)]
    assert trials(1024, thorough=False) == [(64, True), (256, True), (256, False)]
