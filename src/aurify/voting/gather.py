"""From rationales to pools: matched with their questions, judged, answers grouped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aurify.answers import Grader, group_answers
from aurify.answers.compare import extract
from aurify.answers.reading import Unreadable
from aurify.errors import AurifyError
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.voting.pool import Candidate, Pool


def unhinted(rationales: Sequence[Rationale], name: str, say: Callable[[str], None]) -> list[Rationale]:
    """Those that were not drawn with the answer in the prompt, as no sample to vote on is; the others are counted.

    Args:
        name: of the file or folder they come from.

    Raises:
        AurifyError: there are no others.
    """
    kept = [rationale for rationale in rationales if rationale.source != "guide"]
    if rationales and not kept:
        raise AurifyError(f"{name}: all {len(rationales)} rationales were drawn with the answer in the prompt")
    if len(kept) < len(rationales):
        say(f"{name}: {len(rationales) - len(kept)} rationales were drawn with the answer in the prompt; left out")
    return kept


def grouped_pool(question: Question, rationales: Sequence[Rationale], groups: Sequence[int | None]) -> Pool:
    """The pool of one question's rationales, in their order, whose answers' groups are known."""
    answers = [_answer(rationale, question.answer_type) for rationale in rationales]
    return _pool(question, rationales, answers, groups)


def pools_of(rationales: Iterable[Rationale], questions: Sequence[Question], grader: Grader) -> list[Pool]:
    """The pools of judged rationales, in the order of the questions; questions without rationales have none."""
    rows: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        rows.setdefault(rationale.question_id, []).append(rationale)
    found = []
    for question in questions:
        if question.id in rows:
            answers = [_answer(rationale, question.answer_type) for rationale in rows[question.id]]
            groups = group_answers(answers, question.answer_type, grader)
            found.append(_pool(question, rows[question.id], answers, groups))
    return found


def unjudged_pools(rationales: Iterable[Rationale], answer_type: str, grader: Grader) -> list[Pool]:
    """The pools of rationales whose questions' answers nobody knows, in order of first appearance.

    A question is known by its name alone, which is its text where the file gave no id.
    """
    rows: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        rows.setdefault(rationale.question_id, []).append(rationale)
    names = [Question(id=name, text=name, answer="", answer_type=answer_type) for name in rows]
    return pools_of([rationale for found in rows.values() for rationale in found], names, grader)


def _pool(
    question: Question, rationales: Sequence[Rationale], answers: Sequence[str | None], groups: Sequence[int | None]
) -> Pool:
    candidates = tuple(
        Candidate(
            rationale.text, answer, group, None if rationale.verdict is None else rationale.right, rationale.logprob,
            len(rationale.token_ids), rationale.model,
        )
        for rationale, answer, group in zip(rationales, answers, groups, strict=True)
    )  # fmt: skip
    return Pool(question.id, question.text, candidates, question.task, question.level)


def _answer(rationale: Rationale, answer_type: str) -> str | None:
    """The stated answer: the one in the row, else what is read out of the text; a cut rationale states none."""
    if rationale.predicted is not None or rationale.verdict is not None or rationale.finish_reason == "length":
        return rationale.predicted
    try:
        return extract(rationale.text, answer_type, {})
    except Unreadable:
        return None
