from __future__ import annotations

import pytest

from aurify.running.metrics import MetricsLog


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.append({"step": 1, "x": 0.1})
    with log.path.open("a") as file:
        file.write('{"step": 2, "x')
    assert log.read() == [{"step": 1, "x": 0.1}]
    log.drop_after(5)
    log.append({"step": 2})
    assert log.read() == [{"step": 1, "x": 0.1}, {"step": 2}]


def test_later_steps_are_forgotten(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    assert log.read() == []
    for step in range(4):
        log.append({"step": step})
    log.drop_after(2)
    assert [line["step"] for line in log.read()] == [0, 1, 2]


def test_what_is_not_a_number_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        MetricsLog(tmp_path / "metrics.jsonl").append({"step": 1, "x": float("nan")})
