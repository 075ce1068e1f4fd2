"""A method of `aurify train` for a budget of seconds; a run that was killed goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from aurify.comparison.plan import STEPS_WITHOUT_END
from aurify.running.budget import Budget
from aurify.running.progress import Quiet
from aurify.training.run import run_training
from speed_parts.budgeted import BEFORE, questions_of, settings_of
from speed_parts.child import plan_of_worker, say


class Told(Quiet):
    """Passes on what happens, and keeps what a pilot before the first step took."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun = folder, 0.0

    def say(self, text: str) -> None:
        say({"said": text})

    def evaluated(self, step: int, accuracy: Any) -> None:
        self.begun = time.perf_counter()
        say({"said": f"step {step}: held out {accuracy}"})

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        if step == 1 and self.begun:
            pilot = time.perf_counter() - self.begun - line["timing"]["seconds"]
            (self.folder / BEFORE).write_text(json.dumps(pilot))
        say({"said": f"step {step}: {line['timing']['seconds']:.1f} s, {line['verdicts']}"})


def main() -> None:
    plan = plan_of_worker()
    settings = settings_of(plan)
    folder = Path(settings.out)
    train, held_out = questions_of(settings)
    settings = settings.model_copy(
        update={"steps": STEPS_WITHOUT_END, "save_every": 5, "resume": (folder / "config.toml").is_file()}
    )
    run_training(
        settings, questions=train, held_out=held_out, watcher=Told(folder),
        budget=Budget("seconds", plan["seconds"], plan["looks"]),
    )  # fmt: skip
    say({"done": True})


if __name__ == "__main__":
    main()
