"""What surrounds a run: its folder, its processes, who watches it, a wish to stop; and how it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aurify.answers import ANSWER_TYPES, Grader
from aurify.answers.custom import is_given
from aurify.answers.grader import grader_of
from aurify.errors import AurifyError
from aurify.lock import sole_writer
from aurify.models.device import device_line
from aurify.questions import Question
from aurify.questions.fingerprint import Fingerprint
from aurify.questions.given import GIVEN_IN_PYTHON
from aurify.rationales import RationaleTable
from aurify.running.asked import write_asked
from aurify.running.export import Accuracies, accuracies
from aurify.running.folder import RunFolder, RunSettings
from aurify.running.interrupt import Interrupted, StopRequest
from aurify.running.metrics import MetricsLog
from aurify.running.progress import Watcher
from aurify.running.tracking import Trackers
from aurify.running.world import World
from aurify.statistics import Accuracy
from aurify.statistics.crossed import Interval
from aurify.statistics.paired import change


class Run(NamedTuple):
    """A finished run: its folder, and the held-out greedy accuracy before and after (None with nothing held out)."""

    out: Path
    model: Path
    before: Accuracy | None
    after: Accuracy | None
    change: Interval | None = None
    """After less before, paired by question, with the 95 % interval of this very run; None where it is not known."""

    def told(self) -> list[str]:
        """Before, after and the change, for a person; empty with nothing held out."""
        if self.before is None or self.after is None:
            return []
        lines = [f"before  {self.before}", f"after   {self.after}"]
        if self.change is not None:
            value, low, high = (100 * share for share in self.change)
            lines.append(f"change  {value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}, paired by question)")
        return lines


@dataclass(frozen=True)
class RunContext:
    """Where a run takes place."""

    world: World
    folder: RunFolder
    watcher: Watcher
    trackers: Trackers
    grader: Grader
    stop: StopRequest
    held: ExitStack
    """What is closed with the context: the folder's lock, once it is this run's."""

    def say(self, text: str) -> None:
        """A line for the user, once for all processes."""
        if self.world.main:
            self.watcher.say(text)

    def drawn(self, done: int, asked: int) -> None:
        """How far the drawing of rationales is, told of the first process's share."""
        if self.world.main:
            self.watcher.drawn(done, asked)

    def claim(
        self,
        settings: RunSettings,
        read: Fingerprint | None = None,
        *,
        train: Sequence[Question] = (),
        held_out: Sequence[Question] = (),
    ) -> None:
        """Make the folder this run's, keep others out of it, and keep there what it asks.

        See ``sole_writer`` and ``RunFolder.claim``.
        """

        def take() -> None:
            self.held.enter_context(sole_writer(self.folder.path, self.say))
            self.folder.refuse_others(settings, read)
            if settings.resume and not self.folder.config.exists():
                self.say(f"--resume: there is no run in {self.folder.path} to go on with; it begins there")
            self.trackers.start(settings.model_dump())  # before anything is written: one may fail
            self.folder.claim(settings, read)
            write_asked(self.folder.questions, train, held_out)

        self.world.once(take)

    def finish(self, export: Callable[[Path, Accuracies], None]) -> Run:
        """Have the model written into the run's model folder, and tell what came out."""
        measured = accuracies(MetricsLog(self.folder.metrics).read())
        self.world.once(lambda: export(self.folder.model, measured))
        return Run(self.folder.path, self.folder.model, measured.before, measured.after, self._change())

    def _change(self) -> Interval | None:
        """Of the first and the last evaluation that are on disk."""
        rows = [row for row in RationaleTable(self.folder.held_out).read() if not row.left_out]
        first, last = min((row.step for row in rows), default=0), max((row.step for row in rows), default=0)
        if first == last:
            return None
        before, after = ({row.question_id: float(row.right) for row in rows if row.step == at} for at in (first, last))
        pair = change(before, after)
        return pair.difference if pair else None


def _of_python(answers: Any) -> bool:
    """Whether the command line has no such answers: a function that Python gave, now or when the run began."""
    return is_given(answers) or (isinstance(answers, str) and not ANSWER_TYPES.knows(answers))


@contextmanager
def opened(settings: RunSettings, command: str, watcher: Watcher) -> Iterator[RunContext]:
    """The context of a run of ``aurify COMMAND``; what it holds is closed with it.

    Raises:
        AurifyError: a wish to stop came before there was anything to save (``StopRequest.protect``).
    """
    with ExitStack() as stack:
        world = World()

        def say(text: str) -> None:
            if world.main:
                watcher.say(text)

        trackers = Trackers(settings.track, settings.out, watcher.say)
        stack.callback(trackers.close)
        stop = stack.enter_context(world.stop)  # before the others can ask this process to stop
        stack.enter_context(world.ending_together(settings.stalled_after))
        grader = stack.enter_context(grader_of(settings, settings.out, say=say))
        folder = RunFolder(settings.out, command=command)
        if settings.data == GIVEN_IN_PYTHON or _of_python(settings.answers or folder.recorded("answers")):
            folder.resume_command = "the same call with resume=True"
        context = RunContext(world, folder, watcher, trackers, grader, stop, stack)
        if line := device_line(world.device):
            context.say(line)
        try:
            with stop.breakable():
                yield context
        except Interrupted:
            raise AurifyError(f"stopped before the first step was done; go on with: {folder.go_on()}") from None
