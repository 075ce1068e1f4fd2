"""Where the rationales of a run come from: the table that is given, and what a teacher of ours adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aurify.answers import Grader
from aurify.errors import AurifyError
from aurify.questions import Prompts, Question
from aurify.rationales import Drawing, Rationale, RationaleTable
from aurify.rationales.judging import judged
from aurify.rationales.reading import read_with_texts
from aurify.running.context import RunContext
from aurify.running.world import World

QUESTIONS_AT_A_TIME = 256
"""Questions that are sampled, and written, at a time: a killed run draws at most that many again."""


def given_rationales(
    source: str, questions: Sequence[Question], grader: Grader, table: RationaleTable, world: World
) -> list[Rationale]:
    """The rationales of these questions in ``source``, judged; they become the table's first part.

    A run that goes on finds them there and judges nothing twice.

    Raises:
        AurifyError: there is nothing to read, or nothing of these questions.
    """
    found = [rationale for rationale in table.read() if rationale.step == 0]
    if found:
        return found
    read, texts = read_with_texts(Path(source))
    found = [_given(rationale) for rationale in judged(read, questions, grader, texts)]
    if not found:
        raise AurifyError(
            f"--from {source}: none of its {len(read)} rationales is of a question of --data; "
            "they are matched by question_id, or by the question's text"
        )
    if world.main:
        table.append(found)
        table.flush(0)
    world.wait()
    return found


def drawn_rationales(
    questions: Sequence[Question],
    drawing: Drawing,
    prompts: Prompts,
    table: RationaleTable,
    context: RunContext,
    *,
    samples: int,
    temperature: float,
) -> list[Rationale]:
    """``samples`` rationales a question, drawn by the present model.

    Each chunk of questions is one part of the table: step 1, 2 and so on. Parts that were written before are read.
    """
    before: dict[int, list[Rationale]] = {}
    for rationale in table.read():
        before.setdefault(rationale.step, []).append(rationale)

    found: list[Rationale] = []
    for step, start in enumerate(range(0, len(questions), QUESTIONS_AT_A_TIME), start=1):
        chunk = questions[start : start + QUESTIONS_AT_A_TIME]
        if step not in before:

            def draw(mine: list[Question], step: int = step) -> list[list[Rationale]]:
                return drawing.draw(mine, prompts(mine), step=step, samples=samples, temperature=temperature)

            before[step] = [rationale for row in context.world.map(draw, chunk) for rationale in row]
            if context.world.main:
                table.append(before[step])
                table.flush(step)
            context.world.wait()
        found += before[step]
        context.say(f"sampled {start + len(chunk)} of {len(questions)} questions, {sum(r.right for r in found)} right")
    return found


def _given(rationale: Rationale) -> Rationale:
    """As a part of this run's table, where what was there before it has step 0."""
    return rationale if rationale.step == 0 else replace(rationale, step=0)
