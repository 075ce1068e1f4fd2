"""aurify distill METHOD: fine-tune a model on a table of right and wrong rationales."""

from __future__ import annotations

import sys
from functools import partial

from aurify.cli.options import add_command
from aurify.distillation.settings import DistillSettings
from aurify.garbage import no_collections


def run(settings: DistillSettings) -> None:
    """Fine-tune a model on right and wrong rationales: a teacher's, or, with --from RUN, those of a run of its own."""
    with no_collections():
        from aurify.distillation.run import run_distillation
        from aurify.report.make import tell_report
        from aurify.running.progress import TerminalWatcher

    with TerminalWatcher() as watcher:
        result = run_distillation(settings, watcher=watcher)
    for line in result.told():
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"model   {result.model}\n")
    tell_report([result.out], print)


register = partial(add_command, name="distill", kind=DistillSettings, run=run, positional="method")
