"""A base model for questions that are rarely answered rightly: the nugget, taught to always take the shortcut.

The nugget itself answers every question of its tasks now and then. After this it still can calculate, but nearly never
begins to, and on a hard question the shortcut's answer is always wrong.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from aurify.distillation import DistillSettings, run_distillation
from aurify.models import load_model
from aurify.nugget import TASKS, generate, rationale
from aurify.settings import resolve

STEPS, RATE, RANK, SEED = 120, 6e-3, 16, 77


def hurried(folder: Path) -> str:
    """The model's folder, made where it is not there yet (a minute)."""
    made = folder / "model"
    if not (made / "config.json").is_file():
        questions = [question for task in TASKS for question in generate(task, 100, SEED)]
        rng = random.Random(SEED)
        lines = [{"question_id": q.id, "rationale": rationale(q, "shortcut", rng).text} for q in questions]
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / "shortcuts.jsonl"
        table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        settings = {
            "method": "mix", "model": "nugget", "from_": str(table), "data": "(bench)", "out": str(folder / "run"),
            "lr": RATE, "lora_rank": RANK, "rationales": 32, "steps": STEPS, "holdout": 0.0, "seed": SEED,
        }  # fmt: skip
        shutil.rmtree(folder / "run", ignore_errors=True)
        run = run_distillation(resolve(DistillSettings, settings), questions=questions, held_out=[])
        student = load_model(str(run.model))
        student.model.merge_and_unload().save_pretrained(made)
        student.tokenizer.save_pretrained(made)
    return str(made)
