"""The Python side of the command line: the same words, in about ten lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.questions import Question
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

if TYPE_CHECKING:
    from aurify.methods import Method
    from aurify.running.context import Run
    from aurify.running.progress import Watcher

GIVEN_IN_PYTHON = "(questions given in Python)"
"""What stands for ``data`` in the config.toml of a run whose questions were not read from a file."""


def train(
    method: str | type[Method] = "trice",
    *,
    model: str | Path,
    data: str | Path | Sequence[Question],
    out: str | Path,
    held_out: Sequence[Question] | None = None,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Run:
    """Fine-tune a model on questions with known answers, as ``aurify train METHOD`` does.

    Args:
        method: the method's word, as on the command line, or a class of your own.
        model: a Hugging Face folder or hub name, an adapter folder, or "nugget".
        data: a question file, or questions.
        out: the folder of the run; it must be empty or new, unless ``resume=True``.
        held_out: questions to evaluate on; without them part of ``data`` is held out (``holdout=0.4``).
        watcher: is told what happens (``aurify.running.progress.TerminalWatcher()`` shows it).
        settings: any other flag of the command, with underscores: ``steps=100, tuning="lora"``.

    Returns:
        The run: its folder, its model folder, and held-out accuracy before and after.

    Raises:
        UsageError: an unknown setting, or a value that cannot be.
        AurifyError: the work failed; the message says why and what to do.
    """
    from aurify.training.run import run_training

    if not isinstance(method, str):
        method = f"{method.__module__}:{method.__qualname__}"
    given = None if isinstance(data, (str, Path)) else list(data)
    words = {
        "method": method,
        "model": model,
        "data": GIVEN_IN_PYTHON if given is not None else str(data),
        "out": str(out),
    }
    resolved = resolve(TrainSettings, {**words, **settings})
    return run_training(resolved, questions=given, held_out=held_out, watcher=watcher)
