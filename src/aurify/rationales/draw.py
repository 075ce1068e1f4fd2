"""Draw rationales: prompts through a sampler, answers through a grader, records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aurify.answers import Grader
from aurify.clock import Clock
from aurify.questions import Question
from aurify.rationales.ahead import GradingAhead
from aurify.rationales.record import Rationale, Source
from aurify.sampling import Prompt, Sampler, Telling
from aurify.seeds import stable_seed


@dataclass(frozen=True)
class Drawing:
    """How rationales are drawn in a run: by whom, judged by whom, with which seed and limits."""

    sampler: Sampler
    grader: Grader
    model: str
    """The name under which the records say who wrote them."""
    seed: int
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    clock: Clock = field(default_factory=Clock)

    def draw(
        self,
        questions: Sequence[Question],
        prompts: Sequence[tuple[int, ...]],
        *,
        step: int,
        source: Source = "self",
        samples: int = 1,
        temperature: float = 1.0,
    ) -> list[list[Rationale]]:
        """``samples`` graded rationales of every question [Q][S].

        A sample's seed is a hash of (run seed, question id, step, sample index) and, so that a guide's draw is not
        that of a proposal, of the source.
        """
        seeds = [
            tuple(stable_seed(self.seed, question.id, step, index, source) for index in range(samples))
            for question in questions
        ]
        asked = [Prompt(ids, row) for ids, row in zip(prompts, seeds, strict=True)]
        how: dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "temperature": temperature, "stop": self.stop}
        if isinstance(self.sampler, Telling):
            with GradingAhead(self.grader, questions) as ahead:
                completions = self.sampler.sample(asked, **how, on_completion=ahead)
        else:
            completions = self.sampler.sample(asked, **how)
        with self.clock.measure("grade"):
            grades = iter(
                self.grader.grade_all(
                    [
                        (completion.text, question, completion.finish_reason == "length")
                        for question, row in zip(questions, completions, strict=True)
                        for completion in row
                    ]
                )
            )
        return [
            [
                Rationale.of(question.id, completion, next(grades), source, self.model, step, index, seed)
                for index, (completion, seed) in enumerate(zip(row, row_seeds, strict=True))
            ]
            for question, row, row_seeds in zip(questions, completions, seeds, strict=True)
        ]
