"""aurify train METHOD: fine-tune a model from questions and answers."""

from __future__ import annotations

from functools import partial

from aurify.cli.options import add_command
from aurify.garbage import no_collections
from aurify.training.settings import TrainSettings


def run(settings: TrainSettings) -> None:
    """Fine-tune a model on questions with known answers; right and wrong rationales are its own."""
    with no_collections():
        from aurify.cli.finished import tell_finished
        from aurify.running.progress import TerminalWatcher
        from aurify.training.run import run_training

    with TerminalWatcher() as watcher:
        finished = run_training(settings, watcher=watcher)
    tell_finished(finished)


register = partial(add_command, name="train", kind=TrainSettings, run=run, positional="method")
