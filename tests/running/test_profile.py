"""What the profile says adds up, and counts the arithmetic that was done."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from aurify.clock import Clock, peak_memory_mb
from aurify.models import load_model
from aurify.running.profile import Limits, measure_limits, profile, report


def test_a_clock_names_what_is_inside_what() -> None:
    clock = Clock()
    with clock.measure("step"):
        with clock.measure("gradient", tokens=7):
            time.sleep(0.002)
        clock.add("decode", 0.5, tokens=3, columns=11)
    with pytest.raises(ZeroDivisionError), clock.measure("step"):
        raise ZeroDivisionError
    assert set(clock.totals) == {"step", "step/gradient", "step/decode"}
    assert clock.totals["step"].calls == 2
    assert clock.totals["step/gradient"].seconds >= 0.002
    assert (clock.totals["step/decode"].tokens, clock.totals["step/decode"].columns) == (3, 11)


def test_a_rise_of_the_peak_memory_belongs_to_the_part_in_which_it_rose() -> None:
    clock = Clock()
    with clock.measure("step"):
        with clock.measure("gradient"):
            block = np.ones(int(peak_memory_mb() + 64) * 2**20, np.uint8)  # more than the process ever held
            del block
        with clock.measure("grade"):
            pass
    assert clock.totals["step/gradient"].risen_mb >= 32
    assert clock.totals["step/grade"].risen_mb + clock.totals["step"].risen_mb < 8


def test_where_a_gpu_is_used_its_memory_is_what_counts(monkeypatch) -> None:
    clock = Clock()
    assert peak_memory_mb() > 50, "this process's own"
    reserved = iter([2 * 2**20, 2 * 2**20, 5 * 2**20])
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: next(reserved))
    assert peak_memory_mb() == 2
    with clock.measure("step"):
        pass
    assert clock.totals["step"].risen_mb == 3


def test_rows_add_up_and_name_the_rest(tiny_model_dir) -> None:
    """A second of arithmetic at a tenth of the limit, by a model whose weights are counted here by hand."""
    model = load_model(str(tiny_model_dir)).model
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    body = sum(m.weight.numel() for m in linear if m is not model.lm_head)
    whole = body + model.lm_head.weight.numel()
    clock = Clock()
    clock.add("step", 10.0)
    clock.add("step/gradient", 4.0, tokens=100)
    clock.add("step/decode", 3.0, tokens=50, columns=1000)
    clock.add("checkpoint", 2.0)
    limits = Limits(arithmetic=1e6, bandwidth=1e6)
    rows = {row.name: row for row in profile(clock, model, "full", limits)}
    assert {name: row.seconds for name, row in rows.items()} == {
        "step/gradient": 4.0, "step (rest)": 3.0, "step/decode": 3.0, "checkpoint": 2.0,
    }  # fmt: skip
    assert sum(row.share for row in rows.values()) == pytest.approx(1)
    assert rows["step/gradient"].arithmetic == pytest.approx(6 * body * 100 / 4 / 1e6)
    assert rows["step/decode"].arithmetic == pytest.approx(2 * whole * 50 / 3 / 1e6)
    config = model.config
    column = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * 4
    assert rows["step/decode"].bandwidth == pytest.approx((whole * 4 + column * 1000) / 3 / 1e6)
    lora = {row.name: row for row in profile(clock, model, "lora", limits)}
    assert lora["step/gradient"].arithmetic == pytest.approx(4 * body * 100 / 4 / 1e6)
    lines = report(list(rows.values()), limits)
    assert len(lines) == 2 + len(rows)
    assert "step/gradient" in lines[2] or "step/gradient" in lines[3]


def test_limits_are_measured() -> None:
    limits = measure_limits(torch.device("cpu"), torch.float32)
    assert 1e8 < limits.arithmetic < 1e15
    assert 1e8 < limits.bandwidth < 1e14
