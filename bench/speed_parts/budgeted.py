"""What the sides of bench/real_beside.py have in common: their settings, their questions, and what a run's folder says.

Each side leaves a folder like that of `aurify train`: metrics.jsonl, the table `held_out`, and model/ once it is
finished.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurify.questions import Question
from aurify.questions.chosen import questions_to_learn
from aurify.running.metrics import MetricsLog
from aurify.settings import resolve
from aurify.training.settings import TrainSettings


class Processor:
    """Keeps what the processor has worked at each step, in a file of the run's folder."""

    def __init__(self, folder: Path) -> None:
        self.file, self.mark = folder / "processor.jsonl", time.process_time()

    def begin(self) -> None:
        """What comes now counts for the next step."""
        self.mark = time.process_time()

    def step_ended(self, step: int, pilot: float = 0.0) -> str:
        """Write down a step, and the clock's seconds of a pilot before it; both for a person to see."""
        worked = time.process_time() - self.mark
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "processor": worked, "pilot": pilot}) + "\n")
        self.begin()
        return f"{worked:.1f} s of the processor" + (f", {pilot:.1f} s for a pilot" if pilot else "")

    @staticmethod
    def read(folder: Path) -> dict[int, dict[str, float]]:
        """What was written last of each step."""
        lines = (folder / "processor.jsonl").read_text(encoding="utf-8").splitlines()
        return {line["step"]: line for line in map(json.loads, lines)}


def settings_of(plan: Mapping[str, Any]) -> TrainSettings:
    """Those of a side; TRL's trainer takes from them what both know."""
    rate = {} if plan["rate"] is None else {"lr": plan["rate"]}
    return resolve(TrainSettings, {**plan["settings"], **rate, "seed": plan["seed"], "out": plan["out"]})


def questions_of(settings: TrainSettings) -> tuple[list[Question], list[Question]]:
    """(train, held out), the same for all seeds: aurify's split of seed 0."""
    return questions_to_learn(settings.model_copy(update={"seed": 0}), None, None, lambda text: None)


def told(folder: Path) -> dict[str, Any]:
    """What the metrics of a run say: its curve (seconds of training, held-out accuracy), steps, their parts, memory."""
    noted = Processor.read(folder)
    spent = 0.0
    curve: list[tuple[float, float]] = []
    steps = []
    for line in MetricsLog(folder / "metrics.jsonl").read():
        if "updated" in line:
            steps.append(line)
            spent += line["timing"]["seconds"] + noted[line["step"]]["pilot"]
        elif "held_out" in line:
            curve.append((spent, line["held_out"]["accuracy"]))
    return {
        "curve": curve,
        "seconds": [line["timing"]["seconds"] for line in steps],
        "processor": [noted[line["step"]]["processor"] for line in steps],
        "samples": [line["samples"] for line in steps],
        "tokens": [line["generated_tokens"] for line in steps],
        "verdicts": [line["verdicts"] for line in steps],
        "peak_mb": max(line["timing"]["peak_memory_mb"] for line in steps),
    }
