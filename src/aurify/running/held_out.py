"""Held-out greedy accuracy during a run, over all and by task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aurify.questions import Prompts, Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.record import mean_score
from aurify.running.task import Measured
from aurify.running.world import World
from aurify.statistics import Accuracy


def greedy_accuracy(
    questions: Sequence[Question], drawing: Drawing, prompts: Prompts, world: World, step: int
) -> Measured:
    """The model's single most likely rationale of every question, graded; the processes share the questions.

    Raises:
        Interrupted: a wish to stop broke it off.
    """

    def draw(mine: list[Question]) -> list[Rationale]:
        return [row[0] for row in drawing.draw(mine, prompts(mine), step=step, temperature=0.0)]

    rationales = world.map(world.stop.breaking(draw), questions)
    by_task: dict[str, list[bool]] = {}
    for question, rationale in zip(questions, rationales, strict=True):
        if not rationale.left_out:
            by_task.setdefault(question.task, []).append(rationale.right)
    overall = Accuracy.of(rationale.right for rationale in rationales if not rationale.left_out)
    reward = mean_score(rationales)
    facts: dict[str, Any] = {
        **overall.to_dict(),
        **({} if reward is None else {"reward": reward}),
        "tasks": {task: Accuracy.of(right).to_dict() for task, right in sorted(by_task.items())},
    }
    return Measured({"held_out": facts}, rationales, overall)
