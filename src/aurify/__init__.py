"""aurify fine-tunes language models to reason, from questions with known answers.

It learns from the wrong rationales as well as the right ones. The names below are loaded when they are first used,
so that ``import aurify`` and ``aurify --help`` stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.api import distill, evaluate, train
    from aurify.models import load_model
    from aurify.models.nat import load
    from aurify.questions import Question, load_questions, split_questions

__version__ = "0.1.0"
__all__ = [
    "Question",
    "distill",
    "evaluate",
    "load",
    "load_model",
    "load_questions",
    "split_questions",
    "train",
]

if not TYPE_CHECKING:  # to a type checker any name would then be one of ours
    __getattr__ = on_demand(
        __name__,
        {
            "Question": "questions",
            "distill": "api",
            "evaluate": "api",
            "load": "models.nat",
            "load_model": "models",
            "load_questions": "questions",
            "split_questions": "questions",
            "train": "api",
        },
    )
