"""What a step learns from: rationales as its method wants them, drawn from the model or given beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aurify.methods import Method
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Rationale
from aurify.training.first_rationales import Given


@dataclass(frozen=True)
class Proposer:
    """Gives every question of a step its proposals."""

    method: Method
    drawing: Drawing
    template: PromptTemplate
    tokenizer: Any
    given: Given | None = None
    """Where a method that learns from given rationales has them from; None: drawn under the hinted prompt."""

    def __call__(self, questions: Sequence[Question], step: int) -> list[list[Rationale]]:
        """Graded proposals [Q][S]; of given ones only the right ones, so that there may be none."""
        if self.method.given and self.given is not None:
            return self.given.all(questions, step)
        rows = self._draw(questions, step, hinted=self.method.given)
        if self.method.rationalises:
            failed = [index for index, row in enumerate(rows) if not any(sample.right for sample in row)]
            hinted = self._draw([questions[index] for index in failed], step, hinted=True)
            for index, row in zip(failed, hinted, strict=True):
                rows[index] = rows[index] + row
        return rows

    def _draw(self, questions: Sequence[Question], step: int, *, hinted: bool) -> list[list[Rationale]]:
        return self.drawing.draw(
            questions,
            [self.template.encode(self.tokenizer, question, hinted=hinted) for question in questions],
            step=step,
            source="guide" if hinted else "self",
            samples=self.method.samples,
            temperature=0.0 if self.method.greedy else 1.0,
        )
