"""The Python side of the command line: the same words, in about ten lines."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from aurify.answers.custom import word_of
from aurify.errors import UsageError
from aurify.methods import METHODS
from aurify.questions.given import GIVEN_IN_PYTHON, DataInPython, all_given
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

if TYPE_CHECKING:
    from aurify.methods import Method
    from aurify.running.context import Run
    from aurify.running.progress import Watcher


def train(
    method: str | type[Method] = "trice",
    *,
    model: str | os.PathLike[str],
    data: DataInPython,
    out: str | os.PathLike[str],
    held_out: DataInPython | None = None,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Run:
    """Fine-tune a model on questions with known answers, as ``aurify train METHOD`` does.

    Args:
        method: the method's word, as on the command line, or a class of your own.
        model: a Hugging Face folder or hub name, an adapter folder, or "nugget".
        data: a question file, folder or ``hf:NAME``; ``Question`` objects; or rows with the fields that a file would
            have: an iterable of dicts, a frame of pandas, polars or pyarrow, a ``datasets.Dataset``. Settings such as
            ``answers`` say how files and rows are read; questions say that themselves.
        out: the folder of the run; it must be empty or new, unless ``resume=True``.
        held_out: what to evaluate on, in any of these forms, in the place of ``eval_data``; without either part of
            ``data`` is held out (``holdout=0.4``).
        watcher: is told what happens. Without one it is shown on standard error, as the command does;
            ``aurify.running.progress.Quiet()`` says nothing.
        settings: any other flag of the command, with underscores: ``steps=100, tuning="lora"``. ``answers`` may also be
            a function, a comparison or a reward function: it is called in this process, without a limit of time, and
            given again where a run is resumed.

    Returns:
        The run: its folder, its model folder, and held-out accuracy before and after.

    Raises:
        UsageError: an unknown setting, a value that cannot be, or data that is of none of these forms.
        AurifyError: the work failed; the message says why and what to do.
    """
    from aurify.running.progress import TerminalWatcher
    from aurify.training.run import run_training

    if not isinstance(model, str | os.PathLike):
        raise UsageError(
            f"model: found a {type(model).__name__}: expected a folder or a name; save_pretrained, of the model and of "
            "its tokenizer, writes a folder"
        )
    if held_out is not None and settings.get("eval_data") is not None:
        raise UsageError("held_out and eval_data both say what to evaluate on: give one of them")
    given = None if isinstance(data, str | os.PathLike) else all_given(data)
    with nullcontext(method) if isinstance(method, str) else METHODS.given(method) as word:
        words = {"method": word, "model": model, "data": data if given is None else GIVEN_IN_PYTHON, "out": out}
        resolved = resolve(TrainSettings, {**words, **settings, "answers": word_of(settings.get("answers"))})
        with nullcontext(watcher) if watcher else TerminalWatcher() as told:
            return run_training(resolved, questions=given, held_out=held_out, watcher=told)
