"""Prompts as token ids, encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aurify.questions.prompts import PromptTemplate
from aurify.questions.record import Question

_REMEMBERED = 10_000
"""Prompts that are kept; beyond, the memory of them starts afresh."""


class Prompts:
    """Gives each question's prompt in the form that a model is asked in; the same one is not encoded twice in a row.

    Args:
        template: how a question is put.
        tokenizer: the model's.
    """

    def __init__(self, template: PromptTemplate, tokenizer: Any) -> None:
        self.template, self.tokenizer = template, tokenizer
        self._known: dict[tuple[Question, bool], tuple[int, ...]] = {}

    @property
    def ending(self) -> tuple[int, ...]:
        """The tokens behind a whole rationale."""
        return self.template.ending(self.tokenizer)

    def __call__(self, questions: Sequence[Question], *, hinted: bool = False) -> list[tuple[int, ...]]:
        """The token ids of each question's prompt; ``hinted``: with the answer told (the guide)."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        new = [question for question in dict.fromkeys(questions) if (question, hinted) not in self._known]
        encoded = self.template.encode_all(self.tokenizer, new, hinted)
        self._known.update(((question, hinted), ids) for question, ids in zip(new, encoded, strict=True))
        return [self._known[question, hinted] for question in questions]
