"""From rationales to pools: read, matched with their questions, judged, answers grouped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from aurify.answers import Grader, group_answers
from aurify.answers.compare import extract
from aurify.answers.reading import Unreadable
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question, infer_answer_type
from aurify.questions.chosen import ReadAs, read_as
from aurify.questions.needs import need_votes
from aurify.rationales import Rationale
from aurify.rationales.judging import judged
from aurify.rationales.reading import read_with_texts
from aurify.voting.pool import Candidate, CandidatePool


class OfQuestions(ReadAs, Protocol):
    """Settings that say of which questions a table's rationales are."""

    @property
    def data(self) -> str | None: ...


def read_pools(source: str, settings: OfQuestions, say: Callable[[str], None]) -> list[CandidatePool]:
    """The pools of a run, a table or a file: with ``--data`` judged and under their questions' texts, else as it is.

    Raises:
        UsageError: nothing says how answers are read.
        AurifyError: there is nothing to read, or nothing of these questions.
    """
    rationales, texts = read_with_texts(source)
    with Grader() as grader:
        own = settings.data is None and settings.answers is None and _own_questions(rationales, settings, source)
        if settings.data is None and not own:
            return _of_unknown(unhinted(rationales, source, say), settings.answers, grader, say)
        questions = own or read_as(settings, settings.data or source)
        need_votes(questions, source)
        known = judged(rationales, questions, grader, texts)
        if not known:
            raise AurifyError(f"{source}: none of its {len(rationales)} rationales is on a question of {settings.data}")
        if len(known) < len(rationales):
            say(f"{len(rationales) - len(known)} rationales are on other questions than those of {settings.data}")
        return pools_of(unhinted(known, source, say), questions, grader)


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


def grouped_pool(question: Question, rationales: Sequence[Rationale], groups: Sequence[int | None]) -> CandidatePool:
    """The pool of one question's rationales, in their order, whose answers' groups are known."""
    candidates = tuple(
        Candidate(
            rationale.text, _answer(rationale, question.answer_type), group,
            None if rationale.verdict is None else rationale.right, rationale.logprob, len(rationale.token_ids),
            rationale.model,
        )
        for rationale, group in zip(rationales, groups, strict=True)
    )  # fmt: skip
    return CandidatePool(question.id, question.text, candidates, question.task, question.level)


def pools_of(rationales: Iterable[Rationale], questions: Sequence[Question], grader: Grader) -> list[CandidatePool]:
    """The pools of rationales, in the order of the questions; questions without rationales have none."""
    rows: dict[str, list[Rationale]] = {}
    for rationale in rationales:
        rows.setdefault(rationale.question_id, []).append(rationale)
    found = []
    for question in questions:
        if row := rows.get(question.id):
            answers = [_answer(rationale, question.answer_type) for rationale in row]
            found.append(grouped_pool(question, row, group_answers(answers, question.answer_type, grader)))
    return found


def _own_questions(rationales: Sequence[Rationale], settings: OfQuestions, source: str) -> Sequence[Question] | None:
    """The questions of a file whose rows hold their gold answers, and no answers that somebody read already."""
    if any(rationale.predicted is not None for rationale in rationales) or not Path(source).is_file():
        return None
    try:
        return read_as(settings, source)
    except AurifyError:
        return None


def _of_unknown(
    rationales: Sequence[Rationale], answer_type: str | None, grader: Grader, say: Callable[[str], None]
) -> list[CandidatePool]:
    """The pools of rationales whose questions' answers nobody knows, in order of first appearance.

    A question is known by its name alone, which is its text where the file gave no id.
    """
    if answer_type is None:
        stated = [rationale.predicted for rationale in rationales if rationale.predicted is not None]
        if not stated:
            raise UsageError("the rows hold no answers (predicted): say with --answers how to read them from the texts")
        answer_type = infer_answer_type(stated, [])
        say(f"answers: {answer_type} (inferred; --answers says otherwise)")
    grader.kind(answer_type)
    names = dict.fromkeys(rationale.question_id for rationale in rationales)
    questions = [Question(id=name, text=name, answer="", answer_type=answer_type) for name in names]
    need_votes(questions, "--answers")
    return pools_of(rationales, questions, grader)


def _answer(rationale: Rationale, answer_type: str) -> str | None:
    """The stated answer: the one in the row, else what is read out of the text; a cut rationale states none."""
    if rationale.predicted is not None or rationale.verdict is not None or rationale.finish_reason == "length":
        return rationale.predicted
    try:
        return extract(rationale.text, answer_type, {})
    except Unreadable:
        return None
