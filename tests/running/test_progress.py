"""What a run says where standard error is no terminal."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.running import progress
from aurify.running.progress import TerminalWatcher


def line(seconds: float) -> dict[str, Any]:
    return {"acceptance": 0.5, "valid_chains": 1.0, "timing": {"seconds": seconds, "tokens_per_second": 9.0}}


def steps_told(capsys: pytest.CaptureFixture[str], steps: int, seconds: float) -> list[int]:
    watcher = TerminalWatcher()
    for step in range(1, steps + 1):
        watcher.step(step, steps, line(seconds))
    return [int(row.split("/")[0].removeprefix("step ")) for row in capsys.readouterr().err.splitlines()]


def test_a_line_every_tenth_of_a_quick_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert steps_told(capsys, 40, 0.1) == [1, *range(4, 41, 4)]


def test_a_line_a_minute_of_a_slow_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert steps_told(capsys, 40, 25.0)[:5] == [1, 4, 7, 8, 11]
    assert steps_told(capsys, 30, 200.0) == list(range(1, 31))


def test_a_step_of_new_ends_alone_tells_how_many_chains_moved(capsys: pytest.CaptureFixture[str]) -> None:
    timing = {"seconds": 1.0, "tokens_per_second": 9.0}
    told = {"moved_suffix": 0.25, "valid_chains": 1.0, "timing": timing}
    TerminalWatcher().step(1, 2, told)
    TerminalWatcher().step(1, 2, {**told, "acceptance": 0.5})
    alone, beside = capsys.readouterr().err.splitlines()
    assert "moved 25 %  valid chains 100 %" in alone
    assert "accepted 50 %  valid chains 100 %" in beside


def test_a_draw_of_minutes_says_how_far_it_is_and_a_quick_one_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = TerminalWatcher()
    for done in (10, 200, 5, 463):
        quick.drawn(done, 463)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    slow = TerminalWatcher()
    slow.drawn(0, 463)
    slow.drawn(120, 463)
    slow.drawn(0, 64)  # of the next draw, whose time is counted from its start
    slow.drawn(3, 64)
    told = capsys.readouterr().err.splitlines()
    numbers = ["0 of 463", "120 of 463", "0 of 64", "3 of 64"]
    assert [row.split(",")[0] for row in told] == [f"{n} rationales drawn" for n in numbers]
    assert [row.endswith(" left") for row in told] == [False, True, False, True]


def test_a_bar_is_for_a_terminal_and_within_with_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    TerminalWatcher().step(1, 2, line(0.1))
    assert capsys.readouterr().err.startswith("step 1/2")
    with TerminalWatcher() as watcher:
        watcher.step(1, 2, line(0.1))
    assert "\x1b[" in capsys.readouterr().err, "a bar is drawn by control sequences"
