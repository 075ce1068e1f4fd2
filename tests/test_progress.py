"""What long work says where standard error is no terminal."""

from __future__ import annotations

from aurify.progress import Lines, Ticker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_at_the_first_results_and_then_every_so_often() -> None:
    lines: list[str] = []
    clock = Clock()
    tell = Lines("rationales", Ticker(lines.append, clock=clock), clock)
    tell(0, 400, 0)
    clock.now += 4
    tell(10, 400, 3)
    assert lines == []  # short work says nothing
    clock.now += 4
    tell(20, 400, 6)
    assert lines == ["20 of 400 rationales, 6 right (30.0 %), 0:02:32 left"]
    clock.now += 29
    tell(90, 400, 30)
    assert len(lines) == 1
    clock.now += 1
    tell(100, 400)
    clock.now += 31
    tell(400, 400, 130)
    assert lines[1:] == ["100 of 400 rationales, 0:01:54 left", "400 of 400 rationales, 130 right (32.5 %)"]


def test_where_nothing_is_done_after_a_while_that_is_said() -> None:
    lines: list[str] = []
    clock = Clock()
    tell = Lines("rationales", Ticker(lines.append, clock=clock), clock)
    clock.now += 6
    tell(0, 400, 0)
    assert lines == ["0 of 400 rationales"], "neither a share nor a time that is left is known"
    clock.now += 70
    tell(0, 400, 0)
    assert lines[1:] == ["0 of 400 rationales, 0:01:10 so far"]
    clock.now += 30
    tell(1, 400, 0)
    assert "so far" not in lines[2]


def test_work_that_goes_on_is_as_fast_as_what_it_does_now() -> None:
    lines: list[str] = []
    clock = Clock()
    tell = Lines("pairs", Ticker(lines.append, clock=clock), clock)
    clock.now += 20  # of reading what is there
    tell(392, 1496)
    clock.now += 31
    tell(402, 1496)
    assert lines == ["392 of 1496 pairs", "402 of 1496 pairs, 0:56:31 left"]
    clock.now += 31
    tell(1496, 1496)
    assert lines[2] == "1496 of 1496 pairs"


def test_while_nothing_gets_done_the_rest_takes_at_least_as_long_again() -> None:
    lines: list[str] = []
    clock = Clock()
    tell = Lines("rationales", Ticker(lines.append, clock=clock), clock)
    tell(0, 64)
    clock.now += 60
    tell(60, 64)  # at one a second, four seconds are left
    clock.now += 100
    tell(60, 64)
    clock.now += 35
    tell(63, 64)
    assert lines == [
        "60 of 64 rationales, 0:00:04 left",
        "60 of 64 rationales, 0:01:40 left",
        "63 of 64 rationales, 0:00:03 left",
    ]
