"""Outcomes from rationales that are there already, such as an API model's or a teacher's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aurify.answers import Grader, group_answers
from aurify.errors import AurifyError, UsageError, nearest
from aurify.evaluation.result import Tally
from aurify.evaluation.scores import Outcome
from aurify.evaluation.settings import EvaluateSettings
from aurify.questions import Question
from aurify.rationales import Rationale, read_rationales

if TYPE_CHECKING:
    from aurify.voting.voter import Voter


def table_outcomes(
    settings: EvaluateSettings,
    questions: Sequence[Question],
    grader: Grader,
    say: Callable[[str], None],
    voter: Voter | None = None,
) -> tuple[list[Question], list[Outcome], Tally]:
    """The questions that the model answered in the table ``settings.from_``, what became of each, and the counts.

    Each question counts with the same number of samples, its first ones: ``settings.samples``, or as many as every
    question has. Questions with fewer, or with none, are left out, and how many is said.

    Raises:
        UsageError: the table holds nothing by this model.
        AurifyError: it holds nothing on these questions, or rationales that nobody has judged.
    """
    table = settings.from_ or ""
    pools = _pools(table, settings.model, {question.id for question in questions}, say)
    samples = settings.samples or min(map(len, pools.values()))
    kept = [question for question in questions if len(pools.get(question.id, ())) >= samples]
    if not kept:
        raise AurifyError(f"{table}: no question has {samples} rationales: lower --samples")
    if len(kept) < len(questions):
        say(f"{table}: {len(questions) - len(kept)} of {len(questions)} questions have fewer than {samples}; left out")
    outcomes, tally = [], Tally()
    for question in kept:
        pool = sorted(pools[question.id], key=lambda one: (one.step, one.sample_index))[:samples]
        tally.add(pool)
        outcomes.append(sampled_outcome(question, pool, grader, voter))
    return kept, outcomes, tally


def sampled_outcome(
    question: Question, pool: Sequence[Rationale], grader: Grader, voter: Voter | None = None
) -> Outcome:
    """What became of a question, by its samples; nothing where one of them was left out."""
    if any(sample.left_out for sample in pool):
        return Outcome(None)
    groups = group_answers([sample.predicted for sample in pool], question.answer_type, grader)
    return Outcome(
        None,
        tuple(sample.right for sample in pool),
        tuple(groups),
        compared=grader.kind(question.answer_type).compares,
        votes=voter.credits(question, pool, groups) if voter else {},
    )


def _pools(table: str, model: str, ids: set[str], say: Callable[[str], None]) -> dict[str, list[Rationale]]:
    """The model's rationales by question id, but for those that it wrote with the answer in its prompt."""
    rationales = read_rationales(table)
    if hinted := sum(one.model == model and one.source == "guide" for one in rationales):
        say(f"{table}: {hinted} rationales were drawn with the answer in the prompt; left out")
    rationales = [one for one in rationales if one.source != "guide"]
    if len(steps := {one.step for one in rationales if one.model == model}) > 1:
        say(f"{table}: rationales of {len(steps)} steps of a run: the model changed from one to the next")
    models = {one.model for one in rationales}
    if model not in models:
        raise UsageError(f"--model {model}: wrote nothing in {table}: {nearest(model, sorted(models))}")
    pools: dict[str, list[Rationale]] = {}
    for one in rationales:
        if one.model == model and one.question_id in ids:
            if one.verdict is None:
                raise AurifyError(f"{table}: holds rationales without a verdict: aurify import gives them one")
            pools.setdefault(one.question_id, []).append(one)
    if not pools:
        raise AurifyError(f"{table}: no rationale by {model} is on one of the questions")
    return pools
