"""Where the rationales of a run come from: the table that is given, and what a teacher of ours adds to it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from aurify.answers import Grader
from aurify.errors import AurifyError
from aurify.pulse import give
from aurify.questions import Prompts, Question
from aurify.rationales import Drawing, Rationale, RationaleTable
from aurify.rationales.judging import TableJudge
from aurify.rationales.parts import ROWS_AT_ONCE
from aurify.rationales.reading import is_table, read_with_texts, table_at
from aurify.running.asked import texts_asked
from aurify.running.context import RunContext
from aurify.running.world import World

QUESTIONS_AT_A_TIME = 256
"""Questions that are sampled, and written, at a time: a killed run draws at most that many again."""


class DrawnBefore(NamedTuple):
    """What rationales cost that were drawn before the first step."""

    facts: Mapping[str, int] = MappingProxyType({})
    """As a step's metrics say it."""
    seconds: float = 0.0
    """Of this process; what an earlier one drew of a run that was stopped is not counted."""


def keep_given_rationales(
    source: str, questions: Sequence[Question], grader: Grader, table: RationaleTable, world: World
) -> None:
    """Judge the rationales of these questions in ``source``, and write them as the table's first part.

    A run that goes on finds them there and judges nothing twice. Of a table some rows at a time are in memory.

    Raises:
        AurifyError: there is nothing to read, or nothing of these questions.
    """

    def keep() -> None:
        if 0 in table.steps():
            return
        path, read = Path(source), 0
        rows, texts = (table_at(path).read(), texts_asked(path)) if is_table(path) else read_with_texts(path)
        judge, left = TableJudge(questions, grader, texts), iter(rows)

        def judged() -> Iterator[Rationale]:
            nonlocal read
            while some := list(islice(left, ROWS_AT_ONCE)):
                read += len(some)
                yield from map(_given, judge.judged(some))
                give("moved")

        if not table.write_part(0, judged()):
            raise AurifyError(
                f"--from {source}: none of its {read} rationales is of a question of --data; "
                "they are matched by question_id, or by the question's text"
            )

    world.once(keep)


def draw_rationales(
    questions: Sequence[Question],
    drawing: Drawing,
    prompts: Prompts,
    table: RationaleTable,
    context: RunContext,
    *,
    samples: int,
    temperature: float,
) -> DrawnBefore:
    """Have the present model draw ``samples`` rationales a question, and write them to the table.

    Each chunk of questions is one part of the table: step 1, 2 and so on. What was written before is not drawn again.

    """
    begun = time.perf_counter()
    before, right, cost = set(table.steps()), 0, Counter[str]()
    for step, start in enumerate(range(0, len(questions), QUESTIONS_AT_A_TIME), start=1):
        chunk = questions[start : start + QUESTIONS_AT_A_TIME]

        def draw(mine: list[Question], step: int = step) -> list[list[Rationale]]:
            return drawing.draw(mine, prompts(mine), step=step, samples=samples, temperature=temperature)

        if step in before:
            drawn = table.read_step(step)
        else:
            drawn = [rationale for row in context.world.map(context.stop.breaking(draw), chunk) for rationale in row]
            if context.world.main:
                table.append(drawn)
                table.flush(step)
            context.world.wait()
        right += sum(rationale.right for rationale in drawn)
        cost.update({"samples": len(drawn), "generated_tokens": sum(one.drawn_tokens for one in drawn)})
        context.say(f"sampled {start + len(chunk)} of {len(questions)} questions, {right} right")
    return DrawnBefore(dict(cost), time.perf_counter() - begun)


def _given(rationale: Rationale) -> Rationale:
    """As a part of this run's table, where what was there before it has step 0."""
    return rationale if rationale.step == 0 else replace(rationale, step=0)
