"""A method of `aurify train` for a budget of seconds; a run that was killed goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from aurify.comparison.plan import STEPS_WITHOUT_END
from aurify.running.budget import Budget
from aurify.running.progress import Quiet
from aurify.training.run import run_training
from speed_parts.budgeted import Processor, questions_of, settings_of
from speed_parts.child import plan_of_worker, say


class Told(Quiet):
    """Passes on what happens, and keeps what each step took, and a pilot before the first."""

    def __init__(self, folder: Path) -> None:
        self.processor, self.begun = Processor(folder), 0.0

    def say(self, text: str) -> None:
        say({"said": text})

    def evaluated(self, step: int, accuracy: Any) -> None:
        self.begun = time.perf_counter()
        self.processor.begin()
        say({"said": f"step {step}: held out {accuracy}"})

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        seconds = line["timing"]["seconds"]
        worked = self.processor.step_ended(step, time.perf_counter() - self.begun - seconds if step == 1 else 0.0)
        say({"said": f"step {step}: {seconds:.1f} s, {worked}, {line['verdicts']}"})


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
