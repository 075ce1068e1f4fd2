"""The loop of every run: step, write down, evaluate, save; stop when asked to, and go on from a checkpoint."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aurify.clock import Clock, peak_memory_mb
from aurify.errors import AurifyError
from aurify.files import Kept
from aurify.rationales import RationaleTable
from aurify.running.best import BestModel
from aurify.running.budget import Spending
from aurify.running.checkpoint import list_checkpoints, newest_whole, restore_checkpoint, save_checkpoint, step_of
from aurify.running.context import RunContext
from aurify.running.interrupt import Interrupted
from aurify.running.metrics import MetricsLog
from aurify.running.task import Task
from aurify.text import counted

TABLES = "tables.json"
"""The file of a checkpoint's state that says what the tables held: for each its parts, each with its hash."""
SAVE_AFTER = 600.0
"""Seconds of unsaved work after which a step ends with a checkpoint, whatever ``save_every`` says."""
OF_SAVING = 20.0
"""A checkpoint that took s seconds is followed by such a one after this many times s: saving takes 5 % at most."""


class Loop:
    """Moves a task on, and writes down what happens.

    Args:
        resume: go on from the newest checkpoint that is whole, if there is one.
        save_every: steps between checkpoints, at most: slow ones are saved more often (see ``SAVE_AFTER``).
        eval_every: steps between evaluations; 0: only before the first step and where a part of the task ends.
        tables: tables that the task fills; they are written with each checkpoint.
        spending: what the budget, if any, has been used for.
        best: keeps the model of the best evaluation; each evaluation is saved then.
    """

    def __init__(
        self,
        task: Task,
        context: RunContext,
        *,
        resume: bool,
        save_every: int,
        eval_every: int = 0,
        tables: Sequence[RationaleTable] = (),
        spending: Spending | None = None,
        clock: Clock | None = None,
        best: BestModel | None = None,
    ) -> None:
        self.best = best
        self.task, self.context, self.world, self.folder = task, context, context.world, context.folder
        self.resume, self.save_every, self.eval_every = resume, save_every, eval_every
        self.spending, self.clock = spending or Spending(), clock or Clock()
        self.metrics = MetricsLog(self.folder.metrics)
        self.evaluations = RationaleTable(self.folder.held_out)
        self.tables = [*tables, self.evaluations]
        self.step = 0
        self._damaged: frozenset[Path] = frozenset()
        """Checkpoints that were left out when the run went on."""
        self._saved = -1
        """The step of the checkpoint that holds all there is; of none, -1."""
        self._saved_at, self._saving = time.monotonic(), 0.0
        """When the last checkpoint was written, and the seconds that it took."""

    def run(self) -> None:
        """From the last checkpoint, or from the start, to the last step.

        Raises:
            AurifyError: the run diverged, or was asked to stop (after saving).
        """
        self.context.stop.protect()
        self._restore()
        missing = not self._evaluated()
        if missing:
            self._evaluate()
        if missing and self.step:
            self._save()  # its rows are in memory alone, its line is written
        done = self._done()
        if done and self.step and not missing:
            self.context.say(f"the run had ended after step {self.step}: no step is left")
        self._begin()
        if done and self.step == 0:
            self._save()
        self._keep_best()  # what was evaluated and saved, and then killed
        while not done:
            with self.clock.measure("step"):
                self._take_step()
            done = self._done()
            ended = done or self.step in self.task.ends or self.step in self.task.renewed_after
            missing = not self._evaluated()
            if missing:
                self._evaluate()
            asked = self.world.any(self.context.stop.asked)
            kept = missing and self.best is not None  # the steps of a model in best/ must not be dropped
            if ended or asked or kept or self.step % self.save_every == 0 or self._waited():
                self._save()
            if missing:
                self._keep_best()
            if asked and not done:
                raise self._stopped()

    def _begin(self) -> None:
        try:
            with self.context.stop.breakable():
                self.task.begin(self.step)
        except Interrupted:
            raise self._stopped() from None

    def _keep_best(self) -> None:
        if self.best and self.world.main:
            self.best.look(self.step)

    def _stopped(self) -> AurifyError:
        again = self.folder.go_on()
        if self.step == 0:
            return AurifyError(f"stopped before the first step was done; go on with: {again}")
        return AurifyError(f"stopped after step {self.step} and saved; go on with: {again}")

    def _waited(self) -> bool:
        """Whether so much time has passed since the last checkpoint that another is worth its own."""
        return self.world.any(time.monotonic() - self._saved_at >= max(SAVE_AFTER, OF_SAVING * self._saving))

    def _evaluated(self) -> bool:
        """Whether the evaluation that is due after this step, if one is, has been made."""
        due = self.step == 0 or self._done() or self.step in self.task.ends or self.spending.look_due
        if not (due or (self.eval_every and self.step % self.eval_every == 0)):
            return True
        return self.world.once(
            lambda: any(line["step"] == self.step and "updated" not in line for line in self.metrics.read())
        )

    def _done(self) -> bool:
        return self.step >= self.task.steps or self.spending.used_up(self.step)

    def _take_step(self) -> None:
        self.step += 1
        begun = time.perf_counter()
        try:
            done = self.task.step(self.step)
        except Interrupted:
            self.step -= 1
            if self.step and self.step != self._saved:  # where it is saved the weights may have begun anew
                self._save()
            raise self._stopped() from None
        # the main process's, since all must agree on what a budget has left
        seconds = self.world.once(lambda: {"seconds": time.perf_counter() - begun, **done.seconds})
        speed = done.tokens / seconds["seconds"]
        timing = {**seconds, "tokens_per_second": speed, "peak_memory_mb": peak_memory_mb()}
        line = {"step": self.step, **done.facts, "timing": timing}
        self.spending.add(line)
        if self.world.main:
            self.metrics.append(line)
            steps = self.spending.expected_steps(self.step, self.task.steps)
            self.context.watcher.step(self.step, steps, line)
            numbers = {**line, **timing}
            self.context.trackers.log({k: v for k, v in numbers.items() if isinstance(v, (int, float))}, self.step)

    def _evaluate(self) -> None:
        begun = time.perf_counter()
        try:
            with self.clock.measure("evaluate"), self.context.stop.breakable():
                measured = self.task.evaluate(self.step)
        except Interrupted:
            if self.step:
                self._save()
            raise self._stopped() from None
        if measured is None or not self.world.main:
            return
        self.evaluations.append(measured.rationales)
        timing = {"seconds": time.perf_counter() - begun}
        verdicts = Counter(str(rationale.verdict) for rationale in measured.rationales)
        told = {"held_out_verdicts": dict(sorted(verdicts.items()))} if verdicts else {}
        self.metrics.append({"step": self.step, **measured.facts, **told, "timing": timing})
        if measured.accuracy is not None:
            self.context.watcher.evaluated(self.step, measured.accuracy)
            if told:
                self.context.say("  " + counted(verdicts))
            self.context.trackers.log({"held_out_accuracy": measured.accuracy.value}, self.step)

    def _restore(self) -> None:
        """Go back to the newest checkpoint that is whole, and forget what was written after it.

        Raises:
            AurifyError: there are checkpoints and none can be used, or they are gone; nothing was changed.
        """
        lines = self.metrics.read()
        if self.resume and (kept := list_checkpoints(self.folder.checkpoints)):
            recorded = self._newest_whole(kept)
            self._check_what_was_written(lines, recorded)
        elif lost := self._saved_once(lines):
            raise AurifyError(
                f"{self.folder.checkpoints}: the checkpoint of step {lost} is gone, so the run cannot go on, and "
                "nothing was changed: bring it back, or begin another run in another folder"
            )
        if self.world.main:
            last = self.step if self.step else -1
            self.metrics.drop_after(last)
            for table in self.tables:
                table.drop_after(last)
        self.world.wait()
        if self.step:
            for line in self.metrics.read():
                self.spending.add(line)

    def _newest_whole(self, kept: Sequence[Path]) -> Mapping[str, Mapping[str, str]]:
        """Restore the newest checkpoint that can be used; what it says of the tables is returned."""
        try:
            recorded, self._damaged = newest_whole(kept, self._restored, self.context.say)
        except AurifyError as error:
            raise AurifyError(
                f"{self.folder.checkpoints}: no checkpoint can be used, and nothing was changed ({error}): bring one "
                "back, or begin another run in another folder"
            ) from None
        return recorded

    def _restored(self, path: Path) -> Mapping[str, Mapping[str, str]]:
        step = step_of(path)
        self.task.turn_to(step)
        state = restore_checkpoint(path, self.task.parameters, self.task.optimizer)
        recorded = read_digests(path, state.pop(TABLES, b"{}"))
        self.task.restore(step, state)
        self.step = self._saved = step
        self.context.say(f"resumed from {path}")
        return recorded

    def _saved_once(self, lines: Sequence[Mapping[str, Any]]) -> int:
        """The step of a checkpoint that must have been there; 0: of none. Steps follow a part only once it is saved."""
        newest = max((line["step"] for line in lines if "updated" in line), default=0)
        parts = [step for table in self.tables for step in table.steps() if 0 < step < newest]
        return max(parts, default=0)

    def _check_what_was_written(
        self, lines: Sequence[Mapping[str, Any]], recorded: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Say what of the metrics and the tables is no longer as it was when the checkpoint was saved.

        Raises:
            AurifyError: the budget cannot be counted without the lost lines.
        """
        taken = {line["step"] for line in lines if "updated" in line}
        if gone := sorted(set(range(1, self.step + 1)) - taken):
            told = f"{self.folder.metrics}: the lines of {len(gone)} steps are gone, as of step {gone[0]}"
            if self.spending.budget:
                raise AurifyError(f"{told}, so what was spent is not known: bring the file back, or begin another run")
            self.context.say(told)
        for table in self.tables:
            for problem in table.check(recorded.get(table.folder.name, {})):
                self.context.say(f"{problem}; the run goes on without it")

    def _save(self) -> None:
        begun = time.monotonic()
        state: dict[str, bytes | Kept] = {}
        if self.world.main:
            kept = list_checkpoints(self.folder.checkpoints)
            settled = step_of(kept[0]) if kept else -1
            for table in self.tables:
                table.flush(self.step, settled=settled)
            state = {**self.task.state(self.step), TABLES: write_digests(self.tables)}
        with self.clock.measure("checkpoint"):
            saved = save_checkpoint(
                self.folder.checkpoints, self.step, self.task.parameters, self.task.optimizer, state,
                damaged=self._damaged, write=self.world.main,
            )  # fmt: skip
        self._damaged -= {saved}
        self.world.wait()
        self._saved, self._saved_at = self.step, time.monotonic()
        self._saving = self._saved_at - begun


def write_digests(tables: Sequence[RationaleTable]) -> bytes:
    """What the tables hold, as a file of a checkpoint's state."""
    return json.dumps({table.folder.name: table.digests for table in tables}).encode()


def read_digests(checkpoint: Path, content: bytes) -> dict[str, dict[str, str]]:
    """What ``write_digests`` gave.

    Raises:
        AurifyError: it is damaged.
    """
    try:
        found = json.loads(content)
        return {str(name): {str(part): str(digest) for part, digest in parts.items()} for name, parts in found.items()}
    except (ValueError, AttributeError, RecursionError):
        raise AurifyError(f"{checkpoint / 'state' / TABLES}: cannot be read") from None
