"""Samples drawn round by round, and no more of a question once its vote is sure enough (adaptive consistency).

The samples are those that a fixed number would draw, in the same order; the rules are those of ``voting.stopping``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aurify.answers import Grader, group_answers
from aurify.evaluation.settings import EvaluateSettings
from aurify.questions import Question
from aurify.rationales import Drawing, Rationale
from aurify.rationales.draw import Request

if TYPE_CHECKING:
    from aurify.voting.voter import Voter

LEAST_SAMPLES = 2
"""Samples of a question before the first vote."""


def drawn_until_sure(
    drawing: Drawing,
    questions: Sequence[Question],
    prompts: Sequence[tuple[int, ...]],
    settings: EvaluateSettings,
    voter: Voter,
    grader: Grader,
) -> Iterator[tuple[list[Rationale], float]]:
    """Each question's samples, at most ``settings.samples``, and the credit of the vote among them."""
    pools: list[list[Rationale]] = [[] for _ in questions]
    groups: list[list[int | None]] = [[] for _ in questions]
    still_open = list(range(len(questions)))
    drawn = 0
    while still_open and drawn < settings.samples:
        more = min(LEAST_SAMPLES, settings.samples) if drawn == 0 else 1
        asked = [questions[i] for i in still_open]
        request = Request(
            asked, [prompts[i] for i in still_open], samples=more, temperature=settings.temperature, first=drawn
        )
        drawn += more
        for i, row in zip(still_open, drawing.draw_all([request], step=0)[0], strict=True):
            pools[i] += row
            answers = [sample.predicted for sample in pools[i]]
            groups[i] = list(group_answers(answers, questions[i].answer_type, grader))
        left = settings.samples - drawn
        still_open = [
            i
            for i in still_open
            if not voter.settled(questions[i], pools[i], groups[i], left, settings.sure, settings.stop)
        ]
    for question, pool, found in zip(questions, pools, groups, strict=True):
        yield pool, voter.credit(question, pool, found)
