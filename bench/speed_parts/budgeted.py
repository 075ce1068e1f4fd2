"""What the sides of bench/real_beside.py have in common: their settings, their questions, and what a run's folder says.

Each side leaves a folder like that of `aurify train`: metrics.jsonl, the table `held_out`, and model/ once it is
finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aurify.questions import Question
from aurify.questions.chosen import questions_to_learn
from aurify.running.metrics import MetricsLog
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

BEFORE = "before_first_step.json"
"""The file of an aurify run with the seconds of a pilot between the first evaluation and the first step."""


def settings_of(plan: Mapping[str, Any]) -> TrainSettings:
    """Those of a side; TRL's trainer takes from them what both know."""
    rate = {} if plan["rate"] is None else {"lr": plan["rate"]}
    return resolve(TrainSettings, {**plan["settings"], **rate, "seed": plan["seed"], "out": plan["out"]})


def questions_of(settings: TrainSettings) -> tuple[list[Question], list[Question]]:
    """(train, held out), the same for all seeds: aurify's split of seed 0."""
    return questions_to_learn(settings.model_copy(update={"seed": 0}), None, None, lambda text: None)


def told(folder: Path) -> dict[str, Any]:
    """What the metrics of a run say: its curve (seconds of training, held-out accuracy), steps, their parts, memory."""
    spent = json.loads((folder / BEFORE).read_text()) if (folder / BEFORE).is_file() else 0.0
    curve: list[tuple[float, float]] = []
    steps = []
    for line in MetricsLog(folder / "metrics.jsonl").read():
        if "updated" in line:
            steps.append(line)
            spent += line["timing"]["seconds"]
        elif "held_out" in line:
            curve.append((spent if line["step"] else 0.0, line["held_out"]["accuracy"]))
    return {
        "curve": curve,
        "seconds": [line["timing"]["seconds"] for line in steps],
        "samples": [line["samples"] for line in steps],
        "tokens": [line["generated_tokens"] for line in steps],
        "verdicts": [line["verdicts"] for line in steps],
        "peak_mb": max(line["timing"]["peak_memory_mb"] for line in steps),
    }
