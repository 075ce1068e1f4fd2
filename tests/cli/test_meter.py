"""What is told of a long run: done, cost so far and in all, time left."""

from __future__ import annotations

from aurify.cli.meter import Meter
from aurify.progress import Ticker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_cost_so_far_cost_in_all_and_time_left() -> None:
    lines: list[str] = []
    clock = Clock()
    meter = Meter(Ticker(lines.append, first=30.0, every=30.0, clock=clock), priced=True, clock=clock)
    meter.begin(known=100, asked=1100)
    clock.now += 10
    meter.came(10, cost=5.0, tokens=900)  # most of it paid by an earlier run
    assert lines == []
    clock.now += 30
    meter.came(90, cost=5.9, tokens=9000)
    assert lines == ["200 of 1100 samples, 9000 tokens, $5.9000 (about $14.0000 in all), 0:06:00 left"]


def test_a_local_model_costs_nothing_and_nothing_new_has_no_pace() -> None:
    clock = Clock()
    meter = Meter(Ticker(lambda line: None, clock=clock), priced=False, clock=clock)
    meter.begin(known=4, asked=8)
    assert meter.line() == "4 of 8 samples"
    clock.now += 3600
    meter.at(6, 3)
    assert meter.line() == "6 of 8 samples, 3 right (50.0 %), 1:00:00 left"
