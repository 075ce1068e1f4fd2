"""``--from FOLDER``: what the settings there say where the user did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from aurify.answers.types import ANSWER_TYPES
from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError, UsageError
from aurify.files import verify_folder
from aurify.parsing import read_toml
from aurify.settings import resolve

HOW_TO_READ = ("question_field", "answer_field", "skip_bad")
OF_THE_DATA = ("data", "answers", *HOW_TO_READ)
"""Taken from any folder that says which questions its rationales are of, where the user does not name the questions."""

OF_A_RUN = (*OF_THE_DATA, "eval_data", "holdout", "seed", "prompt", "few_shot", "system", "template_args",
            "max_new_tokens", "dtype")  # fmt: skip
"""Taken from a training run, the seed too, so that the same questions are held out as in it. A teacher's prompt, seed
and token limit say nothing of the student's."""


def inherit(settings: DistillSettings, *, reads: bool = True) -> DistillSettings:
    """The settings with what ``from_`` says and the user does not: a training run's model, data, split and prompt, or
    the data alone of a table that was sampled or imported.

    Args:
        reads: whether questions are read, so that it matters how; without it they are given in Python.

    Raises:
        UsageError: a model or questions are given neither by the user nor there.
        AurifyError: the run is not finished, or its settings cannot be read.
    """
    run = Path(settings.from_)
    found: dict[str, Any] = {}
    if (run / "config.toml").is_file():
        before = read_toml(run / "config.toml")
        trained = "method" in before
        keys = OF_A_RUN if trained else OF_THE_DATA if "data" in before and not settings.data else ()
        if "answers" in keys and settings.answers is None and before.get("answers"):
            keys = (*keys, *_own_settings(before["answers"]))
        missing = [key for key in keys if key in before and key not in settings.model_fields_set]
        missing = [key for key in missing if reads or key not in HOW_TO_READ]
        found = {key: before[key] for key in missing if _is_taken(key, before[key])}
        if found.get("eval_data") or settings.eval_data:
            found.pop("holdout", None)
        if trained and not settings.model:
            if not (run / "model").is_dir():
                raise AurifyError(f"{run}: no model/ there yet: finish the run first, or give --model")
            verify_folder(run / "model")
            found["model"] = str(run / "model")
    for key in ("model", "data"):
        if not getattr(settings, key) and not found.get(key):
            raise UsageError(f"--{key} is missing, and --from {settings.from_} is no run that says it")
    if not found:
        return settings
    return resolve(DistillSettings, {**settings.model_dump(exclude_unset=True), **found})


def _own_settings(answers: str) -> list[str]:
    """What belongs to an answer type: how much of a reward is right, how long a program may run."""
    return list(ANSWER_TYPES.own(answers)) if ANSWER_TYPES.knows(answers) else []


def _is_taken(key: str, value: Any) -> bool:
    """Whether a distillation can have this value: ``--dtype mixed`` is of training alone, so auto decides anew."""
    info = DistillSettings.model_fields.get(key)
    if info is None:
        return True
    kind: Any = info.annotation
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True
