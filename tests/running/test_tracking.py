"""What a run tells a tracker is what stands in its metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aurify
from aurify.nugget import generate


def test_tensorboard_gets_the_numbers_of_every_step(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    questions = generate("object_counting", 6, seed=1)
    run = aurify.train(
        "trice", model="nugget", data=questions[:4], held_out=questions[4:], out=tmp_path / "run", steps=2,
        questions=4, memory="none", max_new_tokens=60, track=["tensorboard"],
    )  # fmt: skip
    lines = [json.loads(line) for line in (run.out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if "acceptance" in line]
    read = events.EventAccumulator(str(run.out / "aurify"))
    read.Reload()
    for name, wanted in (
        ("acceptance", [line["acceptance"] for line in steps]),
        ("tokens_per_second", [line["timing"]["tokens_per_second"] for line in steps]),
        ("held_out_accuracy", [line["held_out"]["accuracy"] for line in lines if "held_out" in line]),
    ):
        assert [scalar.value for scalar in read.Scalars(name)] == pytest.approx(wanted, rel=1e-5), name
