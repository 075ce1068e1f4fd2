"""What a run tells the person who watches it."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from aurify.progress import Lines, Ticker
from aurify.statistics import Accuracy
from aurify.text import printable, spelled_time

SILENCE = 60.0
"""Seconds of steps after which a run that no terminal watches says where it is."""


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def say(self, text: str) -> None:
        """A line for the user."""

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        """A step's metrics."""

    def evaluated(self, step: int, accuracy: Accuracy) -> None:
        """Greedy accuracy on the held-out questions after a step; step 0 is before training."""

    def drawn(self, done: int, asked: int) -> None:
        """How many of the rationales that are being drawn are there, for a step, a pilot or an evaluation."""


class Quiet:
    """Says nothing: for those who read what a run returns and logs."""

    def say(self, text: str) -> None: ...

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None: ...

    def evaluated(self, step: int, accuracy: Accuracy) -> None: ...

    def drawn(self, done: int, asked: int) -> None: ...


class TerminalWatcher:
    """A line every tenth of the run, and of slow work every minute; within ``with``, on a terminal, a progress bar.

    All of it on standard error.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._live = False
        """Whether there is a bar."""
        self._progress = Progress(
            TextColumn("{task.description}"), MofNCompleteColumn(), BarColumn(bar_width=24),
            TextColumn("{task.fields[facts]}"), TimeRemainingColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._task: TaskID | None = None
        self._drawing: TaskID | None = None
        self._draw_lines = self._new_draw()
        self._drawn = 0
        self._silent = 0.0
        """Seconds of steps since the last line."""

    def __enter__(self) -> TerminalWatcher:
        self._live = sys.stderr.isatty()
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        self._live = False

    def say(self, text: str) -> None:
        self._console.print(printable(text))

    def evaluated(self, step: int, accuracy: Accuracy) -> None:
        self.say(f"{'before training' if step == 0 else f'after step {step}'}: held-out greedy accuracy {accuracy}")

    def drawn(self, done: int, asked: int) -> None:
        if self._live:
            if self._drawing is None:
                self._drawing = self._progress.add_task("rationales", total=asked, facts="")
            self._progress.update(self._drawing, completed=done, total=asked, visible=done < asked)
            return
        if done < self._drawn:  # a draw begins
            self._draw_lines = self._new_draw()
        self._drawn = done
        self._draw_lines(done, asked)

    def _new_draw(self) -> Lines:
        return Lines("rationales drawn", Ticker(self.say, first=SILENCE, every=SILENCE))

    def step(self, step: int, steps: int, line: dict[str, Any]) -> None:
        timing = line["timing"]
        drawn = timing["tokens_per_second"]  # of a step that only learns there is none
        facts = _facts(line) + (f"  {drawn:.0f} tokens/s" if drawn else "")
        if self._live:
            if self._task is None:
                self._task = self._progress.add_task("step", total=steps, completed=step - 1, facts="")
            self._progress.update(self._task, completed=step, total=steps, facts=facts)
            return
        self._silent += timing["seconds"]
        if step == 1 or step % max(steps // 10, 1) == 0 or self._silent >= SILENCE:
            left = f"  about {spelled_time(timing['seconds'] * (steps - step))} left" if step < steps else ""
            self.say(f"step {step}/{steps}  {facts}{left}")
            self._silent = 0.0


def _facts(line: dict[str, Any]) -> str:
    """What a step of training, or of distillation, is judged by."""
    if "stage" in line:
        return f"{line['stage']}  loss {line['loss']:.4f}"
    told = {"acceptance": "accepted", "moved_suffix": "moved", "valid_chains": "valid chains"}
    if "acceptance" in line:
        del told["moved_suffix"]  # of a step of suffix moves alone
    return "  ".join(f"{name} {100 * line[key]:.0f} %" for key, name in told.items() if key in line)
