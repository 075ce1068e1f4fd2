"""Runs that end by the clock: here one that tells half a minute more whenever it is asked."""

from __future__ import annotations

import itertools
import json
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import aurify
from aurify.errors import AurifyError, UsageError
from aurify.nugget import generate
from aurify.running.budget import Budget
from aurify.running.progress import Quiet
from aurify.settings import resolve
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

QUESTIONS = generate("web_of_lies", 12, seed=5)
STEP = 30.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(0.0, STEP)
    told = SimpleNamespace(perf_counter=lambda: next(ticks), monotonic=time.monotonic)
    monkeypatch.setattr("aurify.running.loop.time", told)


def train(out: Path, **more: Any) -> list[dict[str, Any]]:
    settings = {"max_time": "90s", "questions": 6, "max_new_tokens": 64, "memory": "none", "holdout": 0.2, **more}
    aurify.train("trice", model="nugget", data=QUESTIONS, out=out, **settings)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "updated" in line]


def test_it_ends_with_the_step_that_uses_the_time_up_and_its_rate_has_fallen(tmp_path: Path) -> None:
    steps = train(tmp_path / "run", lr=1e-3, target_kl=0)
    rates = [line["learning_rate"] for line in steps]
    assert len(steps) == 3
    assert rates[0] == pytest.approx(1e-3)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.4e-3


def test_steps_that_are_given_end_it_too(tmp_path: Path) -> None:
    assert len(train(tmp_path / "run", steps=2)) == 2


def test_one_that_was_stopped_goes_on_with_the_time_that_is_left(tmp_path: Path) -> None:
    class Stopping(Quiet):
        def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
            assert steps == 3, "as many as will be"
            if step == 2:
                signal.raise_signal(signal.SIGTERM)

    train(tmp_path / "whole", save_every=1)
    with pytest.raises(AurifyError, match="stopped after step 2 and saved; go on with: the same call"):
        train(tmp_path / "cut", save_every=1, watcher=Stopping())
    assert len(train(tmp_path / "cut", save_every=1, resume=True)) == 3
    whole, cut = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_one_whose_budget_stands_nowhere_goes_on_by_what_began_it(tmp_path: Path) -> None:
    class Stopping(Quiet):
        def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
            signal.raise_signal(signal.SIGTERM)

    settings = {
        "method": "trice", "model": "nugget", "data": "", "out": str(tmp_path / "run"), "questions": 6,
        "max_new_tokens": 64, "memory": "none", "holdout": 0.2,
    }  # fmt: skip
    with pytest.raises(AurifyError, match="stopped after step 1 and saved; go on with: the same command"):
        run_training(
            resolve(TrainSettings, settings), questions=QUESTIONS, budget=Budget("samples", 99), watcher=Stopping()
        )


def test_beside_a_budget_it_is_refused(tmp_path: Path) -> None:
    settings = {"method": "trice", "model": "nugget", "data": "", "out": str(tmp_path / "run"), "max_time": "2h"}
    with pytest.raises(UsageError, match="--max-time 2h: the run has a budget already"):
        run_training(resolve(TrainSettings, settings), questions=QUESTIONS, budget=Budget("samples", 9))


@pytest.mark.parametrize(
    ("given", "steps"),
    [({}, 100), ({"max_time": "2h", "steps": 7}, 7), ({"max_time": "2h", "method": "rest-em"}, 100)],
)
def test_steps_are_without_end_where_time_alone_is_given(given: dict[str, Any], steps: int) -> None:
    asked = {"method": "trice", "model": "nugget", "data": "d"}
    settings = resolve(TrainSettings, {**asked, **given})
    assert settings.steps == steps
    endless = resolve(TrainSettings, {**asked, "max_time": "2h"})
    assert endless.steps > 100_000
    assert TrainSettings(**endless.model_dump()) == endless


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--max-time 'soon': expected a length of time such as 2h, 1h30m"):
        resolve(TrainSettings, {"method": "trice", "model": "nugget", "data": "d", "max_time": "soon"})
