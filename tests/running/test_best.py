"""The model of the best evaluation, beside the last one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import aurify
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.nugget import generate
from aurify.running.best import BestModel, best_step
from aurify.running.export import Accuracies, accuracy_by_step
from aurify.running.folder import RunFolder
from aurify.running.metrics import MetricsLog
from aurify.running.progress import Quiet
from aurify.settings import resolve
from aurify.statistics import Accuracy


def told(tmp_path: Path, right: list[int]) -> tuple[list[tuple[str, int]], str]:
    """What is written, with the right ones that its card tells, as evaluations of steps 0, 1, ... come; and the end."""
    folder = RunFolder(tmp_path / "run")
    context: Any = SimpleNamespace(folder=folder)
    folder.path.mkdir()
    written: list[tuple[str, int]] = []

    def export(to: Path, measured: Accuracies) -> None:
        assert measured.before is not None
        assert measured.after is not None
        assert measured.before.right == right[0]
        written.append((to.name, measured.after.right))

    best, log = BestModel(context, export), MetricsLog(folder.metrics)
    for step, count in enumerate(right):
        log.append({"step": step, "held_out": {"right": count, "n": 20, "low": 0.0, "high": 1.0}})
        log.append({"step": step + 1, "updated": True})
        best.look(step)
    return written, best.told()


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ([5, 6, 9, 7], [6, 9]),
        ([5, 6, 6], [6]),  # the first of equal ones
        ([5, 5, 4], []),  # none is above the model as it stood
        ([5, 4, 6], [6]),
        ([5], []),
    ],
)
def test_it_is_written_whenever_an_evaluation_is_above_all_before(
    tmp_path: Path, right: list[int], written: list[int]
) -> None:
    found, said = told(tmp_path, right)
    assert found == [("best", count) for count in written]
    if written:
        step = right.index(written[-1])
        assert f"best, step {step}: {100 * written[-1] / 20:.1f} %" in said
        assert f"chosen among {len(right) - 1} by the questions that it is measured on" in said
    else:
        assert said == f"best: none of {len(right) - 1} evaluations was above the one before training"


def test_the_best_of_no_evaluation_is_none() -> None:
    assert best_step({}) == 0
    assert best_step({0: Accuracy(2, 4, 0, 1), 3: Accuracy(3, 4, 0, 1), 6: Accuracy(3, 4, 0, 1)}) == 3


class Listening(Quiet):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_run_keeps_the_model_that_did_best(tmp_path: Path) -> None:
    questions, held_out = generate("object_counting", 40, seed=1), generate("object_counting", 24, seed=2)
    listening = Listening()
    aurify.train(
        "trice", model="nugget", data=questions, held_out=held_out, out=tmp_path / "run", steps=2, questions=32,
        lr=1e-3, max_new_tokens=128, memory="none", eval_every=1, watcher=listening,
    )  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    found = accuracy_by_step(lines)
    step = best_step(found)
    assert step > 0, "it learns"
    asked = {"model": str(tmp_path / "run" / "best"), "data": "", "max_new_tokens": 128}
    measured = run_evaluation(resolve(EvaluateSettings, asked), questions=held_out)
    assert measured.overall.scores["greedy"].accuracy == found[step].value
    assert any(line.startswith(f"best: {tmp_path / 'run' / 'best'}, step {step}") for line in listening.said)
    assert not (tmp_path / "run" / "best").samefile(tmp_path / "run" / "model")


def test_with_nothing_held_out_there_is_none_and_that_is_said(tmp_path: Path) -> None:
    listening = Listening()
    aurify.train(
        "trice", model="nugget", data=generate("object_counting", 4, seed=1), holdout=0.0, out=tmp_path / "run",
        steps=1, questions=2, max_new_tokens=8, memory="none", eval_every=1, watcher=listening,
    )  # fmt: skip
    assert "--eval-every 1: no question is held out, so nothing is evaluated" in listening.said
    assert not any(line.startswith("best:") for line in listening.said)
    assert not (tmp_path / "run" / "best").exists()
