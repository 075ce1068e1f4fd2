"""The Python side of the command line: the same words, in about ten lines."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from aurify.answers.custom import word_of
from aurify.distillation.settings import DistillSettings
from aurify.errors import UsageError
from aurify.evaluation.settings import EvaluateSettings
from aurify.methods import METHODS
from aurify.questions.given import GIVEN_IN_PYTHON, DataInPython, all_given
from aurify.settings import resolve
from aurify.training.settings import TrainSettings

if TYPE_CHECKING:
    from aurify.evaluation.result import Evaluation
    from aurify.methods import Method
    from aurify.running.context import Run
    from aurify.running.progress import Watcher

PathOrName = str | os.PathLike[str]


def train(
    method: str | type[Method] = "trice",
    *,
    model: PathOrName,
    data: DataInPython,
    out: PathOrName = "",
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
        out: the folder of the run; it must be empty or new, unless ``resume=True``. Without one it is a new one in
            ``runs``, which the returned run names.
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
    from aurify.training.run import run_training

    _check(model, held_out, settings)
    given, name = _given(data)
    with nullcontext(method) if isinstance(method, str) else METHODS.given(method) as word:
        asked = {"method": word, "model": model, "data": name, "out": out, **_settled(settings)}
        with _watching(watcher) as told:
            return run_training(resolve(TrainSettings, asked), questions=given, held_out=held_out, watcher=told)


def distill(
    method: str = "nat",
    *,
    from_: PathOrName,
    model: PathOrName = "",
    data: DataInPython = "",
    out: PathOrName = "",
    held_out: DataInPython | None = None,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Run:
    """Fine-tune a model on right and wrong rationales that are there, as ``aurify distill METHOD`` does.

    Args:
        method: nat, nce, kd, or another word of the command.
        from_: the rationales: a run's folder (``run.out``), a table's, or a file.
        model: the student (of nce, augment and self-kd the teacher); without one that of the run ``from_``.
        data: the questions, in any of the forms of ``train``; without them those of the run ``from_``.
        out, held_out, watcher, settings: as of ``train``.

    Returns:
        The run: its folder, its model folder (which ``load_model`` and ``load`` open), and held-out accuracy before and
        after.

    Raises:
        UsageError, AurifyError: as of ``train``.
    """
    from aurify.distillation.run import run_distillation

    _check(model, held_out, settings)
    given, name = _given(data)
    named = {key: value for key, value in {"model": model, "data": name, "out": out}.items() if value != ""}
    asked = {"method": method, "from_": from_, **named, **_settled(settings)}  # the run of from_ says the others
    with _watching(watcher) as told:
        return run_distillation(resolve(DistillSettings, asked), questions=given, held_out=held_out, watcher=told)


def evaluate(model: PathOrName, data: DataInPython, *, watcher: Watcher | None = None, **settings: Any) -> Evaluation:
    """Measure a model on questions with known answers, as ``aurify evaluate`` does.

    Args:
        model: a folder or hub name, an adapter folder, "nugget", or a run's model (``run.model``).
        data: the questions, in any of the forms of ``train``.
        watcher: as of ``train``.
        settings: any other flag of the command: ``samples=8, limit=100, out="runs/eval"``.

    Returns:
        ``overall.scores`` has accuracies with their 95 % intervals by name (``"greedy"``, ``"sampled"``, ``"maj@8"``,
        ``"pass@8"``), as fractions; ``tasks`` and ``levels`` the same of each; ``to_dict()`` all of it.

    Raises:
        UsageError, AurifyError: as of ``train``.
    """
    from aurify.evaluation.run import run_evaluation

    _check(model, None, settings)
    given, name = _given(data)
    asked = resolve(EvaluateSettings, {"model": model, "data": name, **_settled(settings)})
    with _watching(watcher) as told:
        return run_evaluation(
            asked, questions=given, say=told.say, progress=lambda done, of, right: told.drawn(done, of)
        )


def _check(model: Any, held_out: Any, settings: dict[str, Any]) -> None:
    if not isinstance(model, str | os.PathLike):
        raise UsageError(
            f"model: found a {type(model).__name__}: expected a folder or a name; save_pretrained, of the model and of "
            "its tokenizer, writes a folder"
        )
    if held_out is not None and settings.get("eval_data") is not None:
        raise UsageError("held_out and eval_data both say what to evaluate on: give one of them")


def _given(data: DataInPython) -> tuple[Any, Any]:
    """The rows or questions that Python has, None of a name; and what stands for the data in the settings."""
    return (None, data) if isinstance(data, str | os.PathLike) else (all_given(data), GIVEN_IN_PYTHON)


def _settled(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, with the word of a function."""
    return {**settings, "answers": word_of(settings["answers"])} if "answers" in settings else settings


def _watching(watcher: Watcher | None) -> AbstractContextManager[Watcher]:
    from aurify.running.progress import TerminalWatcher

    return nullcontext(watcher) if watcher else TerminalWatcher()
