"""aurify fine-tunes language models to reason, from questions with known answers.

It learns from the wrong rationales as well as the right ones. The names below are loaded when they are first used,
so that ``import aurify`` and ``aurify --help`` stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurify.api import train
    from aurify.models import load_model
    from aurify.models.nat import load
    from aurify.questions import Question, load_questions, split_questions

__version__ = "0.1.0"
__all__ = ["Question", "load", "load_model", "load_questions", "split_questions", "train"]

_HOMES = {
    "Question": "aurify.questions",
    "load": "aurify.models.nat",
    "load_model": "aurify.models",
    "load_questions": "aurify.questions",
    "split_questions": "aurify.questions",
    "train": "aurify.api",
}


if not TYPE_CHECKING:  # to a type checker any name would then be one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'aurify' has no attribute '{name}'")
        return getattr(importlib.import_module(_HOMES[name]), name)
