"""``--from RUN``: what a run's own settings say where the user did not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aurify.distillation.settings import DistillSettings
from aurify.errors import AurifyError, UsageError
from aurify.files import verify_folder
from aurify.settings import resolve

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INHERITED = (
    "data", "eval_data", "holdout", "seed", "answers", "question_field", "answer_field", "skip_bad", "prompt",
    "few_shot", "max_new_tokens", "dtype",
)  # fmt: skip
"""Taken from the run, the seed too, so that the same questions are held out as in it."""


def inherit(settings: DistillSettings) -> DistillSettings:
    """The settings with the run's model and data, split and prompt, where ``from_`` is a run and they are not given.

    Raises:
        UsageError: a model or questions are given neither by the user nor by a run.
        AurifyError: the run is not finished, or its settings cannot be read.
    """
    run = Path(settings.from_)
    found: dict[str, Any] = {}
    if (run / "config.toml").is_file():
        try:
            before = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AurifyError(f"{run / 'config.toml'}: cannot be read: {error}") from None
        given = settings.model_fields_set
        found = {key: before[key] for key in INHERITED if key in before and key not in given}
        if not settings.model:
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
