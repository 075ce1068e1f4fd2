"""The loop with a task of its own, as small as can be: what it asks of a task, and that a stopped run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.files import verify_folder
from aurify.rationales import Rationale, RationaleTable
from aurify.running import loop
from aurify.running.best import BestModel, Export
from aurify.running.budget import Budget, Spending
from aurify.running.checkpoint import list_checkpoints, step_of
from aurify.running.context import RunContext, opened
from aurify.running.export import Accuracies
from aurify.running.interrupt import Interrupted
from aurify.running.loop import Loop
from aurify.running.progress import Quiet
from aurify.running.task import Measured, Stepped, Task
from aurify.statistics import Accuracy
from aurify.training.settings import TrainSettings


class Sums(Task):
    """One weight, on its way to the sum of the step numbers; and a tally beside the weights."""

    def __init__(self, steps: int = 6, ends: tuple[int, ...] = ()) -> None:
        self.ends = [*ends, steps]
        self.parameters = {"weight": torch.nn.Parameter(torch.zeros(1))}
        self.adam = torch.optim.AdamW(self.parameters.values(), lr=0.1)
        self.tally: list[int] = []
        self.calls: list[str] = []

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        return self.adam

    def turn_to(self, step: int) -> None:
        self.calls.append(f"turn to {step}")

    def restore(self, step: int, state: dict[str, bytes]) -> None:
        self.tally = json.loads(state["tally.json"])

    def state(self, step: int) -> dict[str, bytes]:
        return {"tally.json": json.dumps(self.tally).encode()}

    def begin(self, step: int) -> None:
        self.calls.append(f"begin {step}")

    def step(self, step: int) -> Stepped:
        self.tally.append(step)
        (self.parameters["weight"] * -step).sum().backward()
        self.adam.step()
        self.adam.zero_grad()
        return Stepped({"updated": True, "samples": 10, "tally": sum(self.tally)}, tokens=7, seconds={"part": 0.0})

    def evaluate(self, step: int) -> Measured:
        self.calls.append(f"evaluate {step}")
        return Measured({"weight": float(self.parameters["weight"].detach())}, accuracy=Accuracy.of([True, False]))


class Stops(Quiet):
    """Asks a run to stop, or lets it crash, after a step."""

    def __init__(self, after: int, crash: bool = False) -> None:
        self.after, self.crash = after, crash
        self.context: RunContext | None = None

    def step(self, step: int, steps: int, line: dict) -> None:
        if step == self.after and self.crash:
            raise ZeroDivisionError
        if step == self.after and self.context:
            self.context.stop.asked = True


class Better(Sums):
    """One answer of ten more is right with each step."""

    def evaluate(self, step: int) -> Measured:
        accuracy = Accuracy.of([number < step for number in range(10)])
        found = {"right": accuracy.right, "n": accuracy.n, "low": accuracy.low, "high": accuracy.high}
        return Measured({"held_out": found}, accuracy=accuracy)


def run(out: Path, task: Sums, watcher: Stops | None = None, export: Export | None = None, **more) -> list[dict]:
    settings = TrainSettings(method="rloo", model="none", data="none", out=str(out), resume=True)
    with opened(settings, "train", watcher or Quiet()) as context:
        if watcher:
            watcher.context = context
        context.claim(settings)
        if export:
            more["best"] = BestModel(context, export)
        Loop(task, context, **{"resume": True, "save_every": 2, **more}).run()
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


def test_a_run_is_written_down_step_by_step(tmp_path):
    task = Sums(steps=3)
    lines = run(tmp_path / "run", task)
    assert [(line["step"], line.get("tally")) for line in lines] == [(0, None), (1, 1), (2, 3), (3, 6), (3, None)]
    assert task.calls == ["evaluate 0", "begin 0", "evaluate 3"]
    timing = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[1])["timing"]
    assert list(timing) == ["seconds", "part", "tokens_per_second", "peak_memory_mb"]


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_a_run_that_stops_or_crashes_goes_on_to_the_same_end(tmp_path, after, crash):
    whole = Sums()
    wanted = run(tmp_path / "whole", whole)
    out, watcher = tmp_path / "run", Stops(after, crash)
    with pytest.raises(ZeroDivisionError if crash else AurifyError, match=None if crash else f"after step {after} and"):
        run(out, Sums(), watcher)
    again = Sums()
    assert run(out, again) == wanted
    saved = (after - 1) // 2 * 2 if crash else after
    assert again.calls[0] == (f"turn to {saved}" if saved else "evaluate 0")
    assert again.tally == whole.tally
    assert torch.equal(again.parameters["weight"], whole.parameters["weight"])


def test_after_a_damaged_checkpoint_two_whole_ones_stand_as_soon_as_one_more_is_saved(tmp_path):
    whole = Sums(steps=9)
    wanted = run(tmp_path / "whole", whole)
    out = tmp_path / "run"
    with pytest.raises(AurifyError, match="after step 6 and"):
        run(out, Sums(steps=9), Stops(6))
    newest = out / "checkpoints" / "step-00000006"
    weights = bytearray((newest / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (newest / "weights.safetensors").write_bytes(weights)
    with pytest.raises(AurifyError, match="after step 5 and"):
        run(out, Sums(steps=9), Stops(5))
    kept = list_checkpoints(out / "checkpoints")
    assert [step_of(path) for path in kept] == [4, 5, 6]
    for path in kept[:2]:
        verify_folder(path)
    again = Sums(steps=9)
    assert run(out, again) == wanted
    assert torch.equal(again.parameters["weight"], whole.parameters["weight"])
    assert [step_of(path) for path in list_checkpoints(out / "checkpoints")] == [8, 9]


class BrokenOff(Sums):
    """Is asked to stop while it is evaluated for the last time, once; its evaluations have a rationale."""

    breaks = True

    def evaluate(self, step: int) -> Measured:
        if step == 3 and self.breaks:
            raise Interrupted
        one = Rationale("q", (1,), "1", "1", Verdict.RIGHT, "", "self", "m", step, 0, 0, "stop", None)
        return Measured({}, [one], Accuracy.of([True]))


def test_an_evaluation_that_was_broken_off_is_made_and_kept_by_the_next_run(tmp_path):
    out, again = tmp_path / "run", BrokenOff(steps=3)
    with pytest.raises(AurifyError, match="after step 3 and saved"):
        run(out, BrokenOff(steps=3))
    again.breaks = False
    run(out, again)
    table = RationaleTable(out / "held_out")
    kept = [row.step for part in table.steps() for row in table.read_step(part)]
    assert kept == [0, 3]


def test_so_is_one_whose_run_is_stopped_again_before_its_next_step(tmp_path):
    class Stopped(BrokenOff):
        breaks = False

        def begin(self, step: int) -> None:
            if step:
                raise Interrupted

    out, again = tmp_path / "run", BrokenOff(steps=3)
    with pytest.raises(AurifyError, match="after step 3 and saved"):
        run(out, BrokenOff(steps=3))
    with pytest.raises(AurifyError, match="after step 3 and saved"):
        run(out, Stopped(steps=3))
    again.breaks = False
    run(out, again)
    table = RationaleTable(out / "held_out")
    assert [row.step for part in table.steps() for row in table.read_step(part)] == [0, 3]


def test_a_run_that_had_ended_says_so_and_one_that_goes_on_does_not(tmp_path, capsys):
    class Said(Stops):
        def say(self, text: str) -> None:
            print(text)

    with pytest.raises(AurifyError):
        run(tmp_path / "run", Sums(), Said(3))
    run(tmp_path / "run", Sums(), Said(100))
    assert "had ended" not in capsys.readouterr().out
    lines = run(tmp_path / "run", Sums(), Said(100))
    assert "the run had ended after step 6: no step is left" in capsys.readouterr().out
    assert lines == run(tmp_path / "run", Sums())


def test_parts_are_evaluated_and_saved_where_they_end(tmp_path):
    task = Sums(steps=4, ends=(3,))
    run(tmp_path / "run", task, save_every=100)
    assert [call for call in task.calls if "evaluate" in call] == ["evaluate 0", "evaluate 3", "evaluate 4"]
    assert [path.name[-1] for path in sorted((tmp_path / "run" / "checkpoints").iterdir())] == ["3", "4"]
    task = Sums(steps=4)
    run(tmp_path / "other", task, eval_every=2)
    assert [call for call in task.calls if "evaluate" in call] == ["evaluate 0", "evaluate 2", "evaluate 4"]


def test_a_budget_ends_a_run_and_is_counted_again_on_resume(tmp_path):
    assert run(tmp_path / "run", Sums(), spending=Spending(Budget("samples", 35)))[-1]["step"] == 4
    with pytest.raises(AurifyError, match="stopped after step 2 and saved"):
        run(tmp_path / "other", Sums(), Stops(2), spending=Spending(Budget("samples", 35)))
    assert run(tmp_path / "other", Sums(), spending=Spending(Budget("samples", 35)))[-1]["step"] == 4


def test_a_budget_has_its_evaluations_also_where_a_run_goes_on(tmp_path):
    def spending() -> Spending:
        return Spending(Budget("samples", 60, looks=3))

    task = Sums(steps=100)
    whole = run(tmp_path / "run", task, spending=spending())
    assert [call for call in task.calls if "evaluate" in call] == [f"evaluate {step}" for step in (0, 2, 4, 6)]
    with pytest.raises(AurifyError, match="stopped after step 4"):
        run(tmp_path / "other", Sums(steps=100), Stops(4), spending=spending())
    assert run(tmp_path / "other", Sums(steps=100), spending=spending()) == whole


def test_slow_steps_are_saved_more_often_and_what_a_crash_loses_is_one(tmp_path, monkeypatch):
    wanted = run(tmp_path / "whole", Sums())
    monkeypatch.setattr(loop, "SAVE_AFTER", 0.0)
    monkeypatch.setattr(loop, "OF_SAVING", 0.0)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "run", Sums(), Stops(4, crash=True), save_every=100)
    again = Sums()
    assert run(tmp_path / "run", again, save_every=100) == wanted
    assert again.calls[0] == "turn to 3"


def test_saving_that_takes_long_is_not_done_at_every_step(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_AFTER", 0.0)
    monkeypatch.setattr(loop, "OF_SAVING", 1e9)  # the first one's own milliseconds are then weeks
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "run", Sums(), Stops(5, crash=True), save_every=100)
    assert [path.name[-1] for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["1"]


@pytest.mark.parametrize("lost", [False, True])
def test_the_model_in_best_is_of_steps_that_no_crash_can_drop(tmp_path, lost):
    """The run crashes in the step after an evaluation; or in writing its model, which is then written on resume."""
    out, crashing, written = tmp_path / "run", True, []

    def export(to: Path, measured: Accuracies) -> None:
        if crashing and lost:
            raise ZeroDivisionError
        written.append((step_of(list_checkpoints(out / "checkpoints")[-1]), measured.after.right))

    evaluated = {"eval_every": 3, "save_every": 100, "export": export}
    with pytest.raises(ZeroDivisionError):
        run(out, Better(), None if lost else Stops(4, crash=True), **evaluated)
    assert written == ([] if lost else [(3, 3)])
    crashing = False
    again = Better()
    run(out, again, **evaluated)
    assert again.calls[0] == "turn to 3"
    assert written[-2:] == [(3, 3), (6, 6)]


def test_a_task_of_no_steps_is_its_evaluation(tmp_path):
    lines = run(tmp_path / "run", Sums(steps=0))
    assert [line["step"] for line in lines] == [0]
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000000"]
