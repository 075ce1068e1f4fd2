"""What a run says at its end: before, after, and the change on the same questions."""

from __future__ import annotations

from pathlib import Path

from aurify.running.context import Run
from aurify.statistics import Accuracy
from aurify.statistics.crossed import Interval
from aurify.statistics.paired import change


def test_the_change_is_told_in_points_beside_before_and_after():
    before, after = Accuracy.of([True, False] * 10), Accuracy.of([True, True] * 10)
    run = Run(Path("r"), Path("r/model"), before, after, Interval(0.5, -0.01, 0.7))
    assert run.told() == [
        f"before  {before}",
        f"after   {after}",
        "change  +50.0 points (95 % interval -1.0 to +70.0, paired by question)",
    ]
    assert Run(run.out, run.model, before, after).told() == run.told()[:2]
    assert Run(Path("r"), Path("r/model"), None, None).told() == []


def test_a_change_is_of_the_questions_of_both_and_tighter_than_unpaired():
    before = {f"q{i}": float(i < 40) for i in range(100)}
    after = {f"q{i}": float(i < 50) for i in range(100)}
    found = change(before, {**after, "other": 0.0})
    assert found is not None
    assert (found.only_first, found.only_second) == (10, 0)
    assert abs(found.difference.value - 0.1) < 1e-12
    assert 0.03 < found.difference.low < 0.1 < found.difference.high < 0.17, "of 100 unpaired it would be 0.14 wide"
    assert change(before, {"other": 1.0}) is None
