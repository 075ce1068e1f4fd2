"""The embedded default: a tiny pretrained base model, and the generators of the questions that it knows.

``python -m aurify.nugget --out DIR`` rebuilds the model from scratch; ``--report`` prints what it can do;
``--questions TASK`` writes a question file.
"""

from __future__ import annotations

from pathlib import Path

from aurify.nugget.writers import (
    TASKS,
    WRITING_STYLES,
    Written,
    different,
    generate,
    hinted_prompt,
    json_line,
    prompt,
    rationale,
)

__all__ = [
    "TASKS",
    "WRITING_STYLES",
    "Written",
    "different",
    "generate",
    "hinted_prompt",
    "json_line",
    "path",
    "prompt",
    "rationale",
]


def path() -> Path:
    """The Hugging Face folder of the embedded model."""
    return Path(__file__).parent / "model"
