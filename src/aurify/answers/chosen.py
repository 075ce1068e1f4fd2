"""The grader that a command's settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurify.answers.grader import Grader
from aurify.answers.types import ANSWER_TYPES


def grader_of(settings: Any, folder: str | Path | None = None, **limits: Any) -> Grader:
    """A grader with the answer type of ``settings.answers`` and its own settings.

    Args:
        folder: of the run, where a type may keep what it paid for.
        limits: of the workers; see ``Grader``.

    Raises:
        UsageError: the type refuses its settings.
    """
    word = getattr(settings, "answers", None)
    kind = ANSWER_TYPES.made(word, settings) if word else None
    return Grader(kind=kind.at(folder) if kind else None, **limits)
