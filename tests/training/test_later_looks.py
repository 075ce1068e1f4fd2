"""What is said of a run as it goes on."""

from __future__ import annotations

import pytest

from aurify.training.later_looks import WARNED_AFTER, LaterLooks


def told(*steps: dict[str, int], raised: float = 1.0) -> list[list[str]]:
    looks = LaterLooks(480)
    return [looks({"raised": raised}, step) for step in steps]


def cut(count: int) -> dict[str, int]:
    return {"right": 64 - count, "truncated": count}


def test_rationales_that_outgrow_the_limit_are_told_of_once():
    said = told(*[cut(2)] * 6, *[cut(10)] * 6)
    assert [bool(lines) for lines in said] == [False] * 8 + [True] + [False] * 3
    [line] = said[8]
    assert line.startswith("12% of the last 256 rationales were cut at 480 tokens, 3% of the first ones")
    assert "--max-new-tokens 960" in line


@pytest.mark.parametrize(
    "steps",
    [
        [cut(6)] * 12,  # few, and no more than at first
        [cut(20)] * 4 + [cut(30)] * 8,  # many from the start, of which the first step told
        [cut(0)] * 4 + [cut(6)] * 8,  # more, and few still
        [cut(0)] * 2 + [cut(30)],  # too few to tell
        [{}] * 12,  # a method that draws nothing
    ],
)
def test_nothing_where_they_do_not(steps):
    assert not any(told(*steps))


def test_steps_of_few_rationales_are_taken_together():
    few = [{"right": 7, "truncated": 1}] * 32 + [{"right": 4, "truncated": 4}] * 32
    assert sum(map(bool, told(*few))) == 1


def test_updates_that_make_what_they_learn_from_less_likely():
    looks = LaterLooks(64)
    worse, better, unseen = {"raised": 0.4}, {"raised": 0.5}, {}
    said = [looks(update, {}) for update in [worse] * (WARNED_AFTER - 1) + [better] + [worse, unseen] * WARNED_AFTER]
    assert [index for index, lines in enumerate(said) if lines] == [WARNED_AFTER + 2 * (WARNED_AFTER - 1)]
    assert "less likely after it" in said[WARNED_AFTER + 2 * (WARNED_AFTER - 1)][0]


def test_a_run_that_goes_on_says_what_it_would_have_said():
    steps = [*[cut(2)] * 6, *[cut(10)] * 6]
    for split in range(len(steps)):
        first, second = LaterLooks(480), LaterLooks(480)
        said = [first({"raised": 0.4}, step) for step in steps[:split]]
        second.restore(first.state())
        said += [second({"raised": 0.4}, step) for step in steps[split:]]
        assert said == told(*steps, raised=0.4)


@pytest.mark.parametrize("state", [b"{", b"[1]", b"3", b'["a", null, [], false]', b"[0, null, [1], false]"])
def test_a_damaged_state_is_an_error_that_a_restart_catches(state):
    with pytest.raises((ValueError, TypeError)):
        LaterLooks(480).restore(state)
