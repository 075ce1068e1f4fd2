"""aurify train METHOD: fine-tune a model from questions and answers."""

from __future__ import annotations

import sys
from functools import partial

from aurify.cli.options import add_command
from aurify.garbage import no_collections
from aurify.training.settings import TrainSettings


def run(settings: TrainSettings) -> None:
    """Fine-tune a model on questions with known answers; right and wrong rationales are its own."""
    with no_collections():
        from aurify.report.make import tell_report
        from aurify.running.progress import TerminalWatcher
        from aurify.training.run import run_training

    with TerminalWatcher() as watcher:
        result = run_training(settings, watcher=watcher)
    for line in result.told():
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"model   {result.model}\n")
    tell_report([result.out], print)


register = partial(add_command, name="train", kind=TrainSettings, run=run, positional="method")
