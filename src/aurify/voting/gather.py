"""From rationales to pools: matched with their questions, judged, answers grouped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aurify.answers import Grader, group_answers
from aurify.answers.compare import extract
from aurify.answers.reading import Unreadable
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.voting.pool import Candidate, Pool


def pool_of(question: Question, rationales: Sequence[Rationale], grader: Grader) -> Pool:
    """The pool of one question's judged rationales, in their order."""
    return _pool(question.id, question.text, question.answer_type, rationales, grader, question.task, question.level)


def pools_of(rationales: Iterable[Rationale], questions: Sequence[Question], grader: Grader) -> list[Pool]:
    """The pools of judged rationales, in the order of the questions; questions without rationales have none."""
    rows: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        rows.setdefault(rationale.question_id, []).append(rationale)
    return [pool_of(question, rows[question.id], grader) for question in questions if question.id in rows]


def unjudged_pools(rationales: Iterable[Rationale], answer_type: str, grader: Grader) -> list[Pool]:
    """The pools of rationales whose questions' answers nobody knows, in order of first appearance.

    A question is known by its name alone, which is its text where the file gave no id.
    """
    rows: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        rows.setdefault(rationale.question_id, []).append(rationale)
    return [_pool(name, name, answer_type, found, grader) for name, found in rows.items()]


def _pool(
    name: str,
    text: str,
    answer_type: str,
    rationales: Sequence[Rationale],
    grader: Grader,
    task: str = "",
    level: str = "",
) -> Pool:
    answers = [_answer(rationale, answer_type) for rationale in rationales]
    groups = group_answers(answers, answer_type, grader)
    candidates = tuple(
        Candidate(
            rationale.text, answer, group, None if rationale.verdict is None else rationale.right, rationale.logprob,
            len(rationale.token_ids), rationale.model,
        )
        for rationale, answer, group in zip(rationales, answers, groups, strict=True)
    )  # fmt: skip
    return Pool(name, text, candidates, task, level)


def _answer(rationale: Rationale, answer_type: str) -> str | None:
    """The stated answer: the one in the row, else what is read out of the text; a cut rationale states none."""
    if rationale.predicted is not None or rationale.verdict is not None or rationale.finish_reason == "length":
        return rationale.predicted
    try:
        return extract(rationale.text, answer_type, {})
    except Unreadable:
        return None
