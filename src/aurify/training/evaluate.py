"""Held-out greedy accuracy during a run."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Rationale
from aurify.training.world import World


def greedy_rationales(
    questions: Sequence[Question],
    drawing: Drawing,
    template: PromptTemplate,
    tokenizer: object,
    world: World,
    step: int,
) -> list[Rationale]:
    """The model's single most likely rationale of every question, graded; the processes share the questions."""

    def draw(mine: list[Question]) -> list[Rationale]:
        prompts = template.encode_all(tokenizer, mine)
        return [row[0] for row in drawing.draw(mine, prompts, step=step, temperature=0.0)]

    return world.map(draw, questions)
