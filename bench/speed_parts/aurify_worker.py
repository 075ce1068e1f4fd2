"""`aurify train trice` on the nugget; the modes are those of ``trl_worker``."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aurify.running.metrics import MetricsLog
from aurify.running.progress import Quiet
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings
from speed_parts.bbh import questions_of
from speed_parts.child import Gate, plan_of_worker, say


class Stops(Quiet):
    """Stops after each step."""

    def __init__(self) -> None:
        self.gate = Gate()

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        self.gate.step_ended()


class AllRight(Exception):
    """Nothing is better."""


class Clocked(Quiet):
    """When each evaluation was done; the run ends where all are right."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}

    def evaluated(self, step: int, accuracy: Any) -> None:
        self.at[step] = time.perf_counter()
        if accuracy.value == 1.0:
            raise AllRight


def main() -> None:
    plan = plan_of_worker()
    train, held_out = questions_of(plan)
    stepwise = plan["mode"] == "steps"
    with TemporaryDirectory() as folder:
        settings = TrainSettings(
            method="trice", model=plan.get("model", "nugget"), data=plan["data"], out=f"{folder}/run",
            seed=plan["seed"],
            questions=plan["rollouts"], steps=plan["steps"], max_new_tokens=plan["max_new_tokens"], lr=plan["rate"],
            eval_every=0 if stepwise else plan["every"], memory=plan["memory"],
        )  # fmt: skip
        watcher = Stops() if stepwise else Clocked()
        with suppress(AllRight):
            run_training(settings, questions=train, held_out=[] if stepwise else held_out, watcher=watcher)
        if isinstance(watcher, Clocked):
            lines = MetricsLog(Path(folder) / "run" / "metrics.jsonl").read()
            say(curve([line for line in lines if "held_out" in line], watcher.at))


def curve(measured: list[dict[str, Any]], at: dict[int, float]) -> list[list[float]]:
    """[step, seconds of training until then, held-out accuracy]; all but the evaluations after the first counts."""
    points, evaluating = [], 0.0
    for line in measured:
        step = line["step"]
        if step:
            evaluating += line["timing"]["seconds"]
        points.append([step, at[step] - at[0] - evaluating, line["held_out"]["accuracy"]])
    return points


if __name__ == "__main__":
    main()
