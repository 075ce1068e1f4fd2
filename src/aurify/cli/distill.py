"""aurify distill METHOD: fine-tune a model on a table of right and wrong rationales."""

from __future__ import annotations

from functools import partial

from aurify.cli.options import add_command
from aurify.distillation.settings import DistillSettings
from aurify.garbage import no_collections


def run(settings: DistillSettings) -> None:
    """Fine-tune a model on right and wrong rationales: a teacher's, or, with --from RUN, those of a run of its own."""
    with no_collections():
        from aurify.cli.finished import tell_finished
        from aurify.distillation.run import run_distillation
        from aurify.running.progress import TerminalWatcher

    with TerminalWatcher() as watcher:
        finished = run_distillation(settings, watcher=watcher)
    tell_finished(finished)


register = partial(add_command, name="distill", kind=DistillSettings, run=run, positional="method")
