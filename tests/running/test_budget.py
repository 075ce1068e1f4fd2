from __future__ import annotations

import pytest

from aurify.running.budget import Budget, Spending, cost_of_step


def line(step: int, samples: int, tokens: int = 0, seconds: float = 0.0) -> dict:
    return {
        "step": step, "updated": True, "samples": samples, "generated_tokens": tokens, "timing": {"seconds": seconds},
    }  # fmt: skip


def test_a_run_without_a_budget_never_uses_it_up():
    spending = Spending()
    spending.add(line(1, 10**9))
    assert not spending.used_up(1)
    assert spending.share == 0


@pytest.mark.parametrize(("kind", "amount"), [("samples", 20), ("tokens", 200), ("seconds", 2.0)])
def test_a_step_uses_up_a_budget_of_each_kind_and_evaluations_do_not_count(kind, amount):
    spending = Spending(Budget(kind, amount))
    spending.add({"step": 0, "held_out": {}, "timing": {"seconds": 99.0}})
    spending.add(line(1, 10, 100, 1.0))
    assert not spending.used_up(1)
    assert spending.share == 0.5
    spending.add(line(2, 10, 100, 1.0))
    assert spending.used_up(2)


def test_looks_are_due_once_an_equal_part_of_the_budget_is_used():
    spending, due = Spending(Budget("seconds", 12.0, looks=4)), []
    for step, seconds in enumerate([1.0, 1.9, 0.1, 5.0, 0.9, 0.2, 3.0], 1):
        spending.add(line(step, 1, seconds=seconds))
        spending.add({"step": step, "held_out": {}, "timing": {"seconds": 99.0}})
        due.append(spending.look_due)
    assert due == [False, False, True, True, False, True, True], "3.0, 8.0 (past 6), 9.1 and 12.1 s"
    spending = Spending(Budget("seconds", 12.0))
    spending.add(line(1, 1, seconds=12.0))
    assert not spending.look_due, "none were asked for"


def test_a_part_is_begun_only_where_as_much_as_the_last_one_took_is_left():
    for amount, ends in ((100, False), (99, True)):
        spending = Spending(Budget("samples", amount), parts=[1, 4])
        for step, samples in ((1, 50), (2, 0), (3, 0)):
            spending.add(line(step, samples))
            assert spending.used_up(step) == (step == 3 and ends)
    spending.add(line(4, 49))
    assert not spending.used_up(4), "the steps of a part that was begun draw nothing more"


def test_a_line_of_an_evaluation_costs_nothing():
    assert set(cost_of_step({"step": 3, "held_out": {}}).values()) == {0}


def test_how_many_steps_it_will_be_is_told_by_those_that_were():
    spending = Spending(Budget("seconds", 100.0))
    assert spending.expected_steps(0, 9) == 9, "nothing is known yet"
    spending.add(line(1, 1, seconds=30.0))
    assert spending.expected_steps(1, 9) == 4
    assert spending.expected_steps(1, 3) == 3, "they end it first"
    for step in (2, 3, 4):
        spending.add(line(step, 1, seconds=30.0))
    assert spending.expected_steps(4, 9) == 4
    assert Spending().expected_steps(4, 9) == 9
