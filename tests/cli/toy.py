"""A small command line of its own, to test what every command shares."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import typer
from pydantic import Field, model_validator

from aurify.cli.app import exit_status, new_app
from aurify.cli.options import add_command
from aurify.errors import AurifyError
from aurify.settings import Settings


class MeltSettings(Settings):
    data: Path = Field(description="The questions.")
    method: Literal["trice", "star", "rejection"] = Field("trice", description="The E-step.")
    steps: int = Field(20, ge=1, description="Optimiser steps.")
    learning_rate: float = Field(1e-4, gt=0, description="Step size.")
    eval_every: int | None = Field(None, description="Steps between evaluations.")
    shuffle: bool = Field(True, description="Draw questions in random order.")
    stop: tuple[str, ...] = Field((), description="Stop strings.")
    sizes: list[int] = Field(default_factory=lambda: [1, 2], description="Group sizes.")
    fail: str = Field("", description="How to fail.")

    @model_validator(mode="after")
    def _evaluations_fit(self) -> MeltSettings:
        if self.eval_every is not None and self.eval_every > self.steps:
            raise ValueError(f"--eval-every {self.eval_every} is more than --steps {self.steps}")
        return self


def melt(settings: MeltSettings) -> None:
    """Melt dust.

    A second paragraph.
    """
    if settings.fail == "aurify":
        raise AurifyError("dust.jsonl:3: no \x1b[31mdust\nhere")
    if settings.fail == "os":
        Path("/nowhere/at/all").read_text()
    if settings.fail == "interrupt":
        raise KeyboardInterrupt
    if settings.fail == "sleep":
        print("asleep", flush=True)
        time.sleep(60)
    if settings.fail == "flood":
        for _ in range(100_000):
            print("gold" * 20)
    if settings.fail == "surrogate":
        print("half \ud800 a letter")
    print(repr(settings))


class EmptySettings(Settings):
    pass


def rest(_settings: EmptySettings) -> None:
    """Do nothing."""


def build() -> typer.Typer:
    app = new_app()
    add_command(app, "melt", MeltSettings, melt, positional="data")
    add_command(app, "rest", EmptySettings, rest)
    return app


if __name__ == "__main__":
    raise SystemExit(exit_status(build))
