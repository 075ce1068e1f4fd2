"""Outcomes from rationales that are there already, such as an API model's or a teacher's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from aurify.answers import Grader, group_answers
from aurify.errors import AurifyError, UsageError, nearest
from aurify.evaluation.result import Tally
from aurify.evaluation.scores import Outcome
from aurify.evaluation.settings import EvaluateSettings
from aurify.questions import Question
from aurify.rationales import Rationale, RationaleTable
from aurify.rationales.by_question import tell_aided, whole_questions
from aurify.rationales.reading import table_or_rows

if TYPE_CHECKING:
    from aurify.voting.voter import Voter


def table_outcomes(
    settings: EvaluateSettings,
    questions: Sequence[Question],
    grader: Grader,
    say: Callable[[str], None],
    voter: Voter | None,
) -> tuple[list[Question], list[Outcome], Tally]:
    """The questions that the model answered in the table ``settings.from_``, what became of each, and the counts.

    Each question counts with the same number of samples, its first ones: ``settings.samples``, or as many as every
    question has. Questions with fewer, or with none, are left out, and how many is said.

    Raises:
        UsageError: the table holds nothing by this model.
        AurifyError: it holds nothing on these questions, or rationales that nobody has judged.
    """
    table = settings.from_ or ""
    given = table_or_rows(table)
    counts = _counts(given, table, settings.model, {question.id for question in questions}, say)
    samples = settings.samples or min(counts.values())
    kept = [question for question in questions if counts[question.id] >= samples]
    if not kept:
        raise AurifyError(f"{table}: no question has {samples} rationales: lower --samples")
    if len(kept) < len(questions):
        say(f"{table}: {len(questions) - len(kept)} of {len(questions)} questions have fewer than {samples}; left out")
    outcomes, tally = [], Tally()
    for question, pool in _pools(given, settings.model, kept):
        first = sorted(pool, key=lambda one: (one.step, one.sample_index))[:samples]
        tally.add(first)
        outcomes.append(sampled_outcome(question, first, grader, voter))
    return kept, outcomes, tally


def sampled_outcome(question: Question, pool: Sequence[Rationale], grader: Grader, voter: Voter | None) -> Outcome:
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


def _counts(
    given: RationaleTable | list[Rationale], name: str, model: str, ids: set[str], say: Callable[[str], None]
) -> Counter[str]:
    """How many rationales the model wrote by question id, but for those of which something told it the answer.

    Args:
        name: of the file or folder.
    """
    counts, steps, models, hinted, ends, unjudged = Counter[str](), set[int](), set[str](), 0, 0, False
    for question, source, author, step, verdict, cut in _facts(given):
        if source == "guide" or cut:
            hinted += author == model and source == "guide"
            ends += author == model and source != "guide"
            continue
        models.add(author)
        if author == model:
            steps.add(step)
            if question in ids:
                counts[question] += 1
                unjudged = unjudged or verdict is None
    tell_aided(name, hinted, ends, say)
    if len(steps) > 1:
        say(f"{name}: rationales of {len(steps)} steps of a run: the model changed from one to the next")
    if model not in models:
        raise UsageError(f"--model {model}: wrote nothing in {name}: {nearest(model, sorted(models))}")
    if unjudged:
        raise AurifyError(f"{name}: holds rationales without a verdict: aurify import gives them one")
    if not counts:
        raise AurifyError(f"{name}: no rationale by {model} is on one of the questions")
    return counts


def _facts(given: RationaleTable | list[Rationale]) -> Iterator[tuple[str, str, str, int, str | None, int]]:
    """Of every rationale its question, source, model, step, verdict and how many of its tokens were kept."""
    if isinstance(given, list):
        yield from ((one.question_id, one.source, one.model, one.step, one.verdict, one.cut) for one in given)
        return
    names = ("question_id", "source", "model", "step", "verdict", "cut")
    for batch in given.batches(names):
        yield from zip(*(batch[name].to_pylist() for name in names), strict=True)


def _pools(
    given: RationaleTable | list[Rationale], model: str, questions: Sequence[Question]
) -> Iterator[tuple[Question, list[Rationale]]]:
    """The questions, in their order, each with the model's rationales; all of them have some."""
    by_id = {question.id: question for question in questions}
    some = (
        [[one for one in given if one.unaided]]
        if isinstance(given, list)
        else whole_questions(given, lambda name: name if name in by_id else None, by_id)
    )
    place = {name: number for number, name in enumerate(by_id)}
    for rows in some:
        pools: dict[str, list[Rationale]] = {}
        for one in rows:
            if one.model == model and one.question_id in by_id:
                pools.setdefault(one.question_id, []).append(one)
        yield from ((by_id[name], pools[name]) for name in sorted(pools, key=place.__getitem__))
