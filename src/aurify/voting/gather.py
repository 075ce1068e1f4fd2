"""From rationales to pools: read, matched with their questions, judged, answers grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow.compute as pc

from aurify.answers import Grader, group_answers
from aurify.answers.compare import extract
from aurify.answers.reading import Unreadable
from aurify.errors import AurifyError, UsageError
from aurify.questions import Question, infer_answer_type
from aurify.questions.already_read import ReadAs
from aurify.questions.chosen import read_as
from aurify.questions.load import questions_of_rows
from aurify.questions.needs import need_votes
from aurify.rationales import Rationale, RationaleTable
from aurify.rationales.by_question import only_unaided, tell_aided, whole_questions
from aurify.rationales.judging import TableJudge
from aurify.rationales.reading import FileRationales, from_files, is_table, table_at
from aurify.running.asked import texts_asked
from aurify.voting.pool import Candidate, CandidatePool


class OfQuestions(ReadAs, Protocol):
    """Settings that say of which questions a table's rationales are."""

    @property
    def data(self) -> str | None: ...


def read_pools(source: str, settings: OfQuestions, say: Callable[[str], None]) -> Iterator[list[CandidatePool]]:
    """The pools of a run, a table or a file: with ``--data`` judged and under their questions' texts, else as it is.

    Of a table some questions at a time (see ``whole_questions``); of a file all.

    Raises:
        UsageError: nothing says how answers are read.
        AurifyError: there is nothing to read, or nothing of these questions.
    """
    with Grader() as grader:
        yield from (
            _of_table(source, settings, grader, say) if is_table(source) else [_of_file(source, settings, grader, say)]
        )


def _of_table(
    source: str, settings: OfQuestions, grader: Grader, say: Callable[[str], None]
) -> Iterator[list[CandidatePool]]:
    table = table_at(Path(source))
    if settings.data is None:
        stated: dict[str, None] = {}
        if settings.answers is None:
            for batch in table.batches(["predicted", "source", "cut"]):
                own = only_unaided(batch)["predicted"]
                stated.update(dict.fromkeys(pc.unique(own).drop_null().to_pylist()))
        answer_type = _known_type(settings.answers, list(stated), grader, say)
        _tell_aided(table, lambda name: True, source, say)
        for rows in whole_questions(table, lambda name: name):
            yield _of_names(rows, answer_type, grader)
        return
    questions = read_as(settings, settings.data)
    need_votes(questions, source)
    judge = TableJudge(questions, grader, texts_asked(Path(source)))
    by_id = {question.id: question for question in questions}

    def key(name: str) -> str | None:
        found = judge.question_of(name)
        return None if found is None else found.id

    known, every = _tell_aided(table, lambda name: key(name) is not None, source, say)
    if not known:
        raise AurifyError(f"{source}: none of its {every} rationales is on a question of {settings.data}")
    if known < every:
        say(f"{every - known} rationales are on other questions than those of {settings.data}")
    for rows in whole_questions(table, key, by_id):
        found = judge.judged(rows)
        ids = {row.question_id for row in found}
        yield pools_of(found, [question for question in questions if question.id in ids], grader)


def _tell_aided(
    table: RationaleTable, wanted: Callable[[str], bool], name: str, say: Callable[[str], None]
) -> tuple[int, int]:
    """Say how many rows of the wanted questions no vote is held on; how many rows these have, and how many there are.

    Raises:
        AurifyError: it is held on none.
    """
    counts, every = Counter[str](), 0
    told: dict[str, bool] = {}
    for batch in table.batches(["question_id", "source", "cut"]):
        every += len(batch)
        for (key, source, cut), count in Counter(zip(*(c.to_pylist() for c in batch.columns), strict=True)).items():
            if key not in told:
                told[key] = wanted(key)
            if told[key]:
                counts["hinted" if source == "guide" else "ends" if cut else "unaided"] += count
    _tell_left_out(counts.total(), counts["hinted"], counts["ends"], name, say)
    return counts.total(), every


def _of_file(source: str, settings: OfQuestions, grader: Grader, say: Callable[[str], None]) -> list[CandidatePool]:
    asking = settings.question_field if settings.data is None else None
    found = from_files(Path(source), asking, skip_bad=settings.skip_bad)
    if found.skipped:
        say(f"{source}: {len(found.skipped)} rows left out, {found.skipped[0].where}: {found.skipped[0].reason}")
    rationales = found.rationales
    if settings.data is None:
        questions = _own_questions(found, settings, source, grader, say)
    else:
        questions = read_as(settings, settings.data)
    if questions is None:
        kept = unaided(rationales, source, say)
        stated = [rationale.predicted for rationale in kept if rationale.predicted is not None]
        return _of_names(kept, _known_type(settings.answers, stated, grader, say), grader)
    need_votes(questions, source)
    known = TableJudge(questions, grader, found.texts).judged(rationales)
    if not known:
        raise AurifyError(f"{source}: none of its {len(rationales)} rationales is on a question of {settings.data}")
    if len(known) < len(rationales):
        others = f"on other questions than those of {settings.data}" if settings.data else "of rows without an answer"
        say(f"{len(rationales) - len(known)} rationales are {others}")
    return pools_of(unaided(known, source, say), questions, grader)


def unaided(rationales: Sequence[Rationale], name: str, say: Callable[[str], None]) -> list[Rationale]:
    """Those that nothing told the answer, as no sample to vote on may be; the others are counted.

    Args:
        name: of the file or folder they come from.

    Raises:
        AurifyError: there are no others.
    """
    kept = [rationale for rationale in rationales if rationale.unaided]
    hinted = sum(rationale.source == "guide" for rationale in rationales)
    _tell_left_out(len(rationales), hinted, len(rationales) - len(kept) - hinted, name, say)
    return kept


def _tell_left_out(rows: int, hinted: int, ends: int, name: str, say: Callable[[str], None]) -> None:
    if rows and rows == hinted + ends:
        or_ends = ", or are new ends of right ones" if ends else ""
        raise AurifyError(f"{name}: all {rows} rationales were drawn with the answer in the prompt{or_ends}")
    tell_aided(name, hinted, ends, say)


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


def _own_questions(
    found: FileRationales, settings: OfQuestions, source: str, grader: Grader, say: Callable[[str], None]
) -> Sequence[Question] | None:
    """The questions of rows that hold their gold answers, and no answers that somebody read already.

    None where some rationale would be of none of them: of rows without gold answers all are voted on, by name.

    Raises:
        AurifyError: the field that is said to hold the gold answers does not.
    """
    if any(rationale.predicted is not None for rationale in found.rationales):
        if settings.answer_field is not None:
            say(f"--answer-field: not looked at, since the rows of {source} hold answers that were read (predicted)")
        return None
    try:
        questions = questions_of_rows(
            found.first.values(), Path(source), answers=settings.answers, answer_field=settings.answer_field,
            skip_bad=settings.skip_bad,
        )  # fmt: skip
    except AurifyError:
        if settings.answer_field is not None:
            raise
        return None
    judge = TableJudge(questions, grader, found.texts)
    matched = [judge.question_of(name) is not None for name in found.first]
    whole = any(matched) if questions.skipped else all(matched)
    return questions if whole and not questions.imitated else None


def _known_type(answer_type: str | None, stated: Sequence[str], grader: Grader, say: Callable[[str], None]) -> str:
    """The type of answers that nobody knows: what was asked for, else what those that are stated look like.

    Raises:
        UsageError: none is stated, or they cannot be compared.
    """
    if answer_type is None:
        if not stated:
            raise UsageError("the rows hold no answers (predicted): say with --answers how to read them from the texts")
        answer_type = infer_answer_type(stated, [])
        say(f"answers: {answer_type} (inferred; --answers says otherwise)")
    grader.kind(answer_type)
    need_votes([Question(id="", text="", answer="", answer_type=answer_type)], "--answers")
    return answer_type


def _of_names(rationales: Sequence[Rationale], answer_type: str, grader: Grader) -> list[CandidatePool]:
    """The pools of rationales whose questions' answers nobody knows, in order of first appearance.

    A question is known by its name alone, which is its text where the file gave no id.
    """
    names = dict.fromkeys(rationale.question_id for rationale in rationales)
    questions = [Question(id=name, text=name, answer="", answer_type=answer_type) for name in names]
    return pools_of(rationales, questions, grader)


def _answer(rationale: Rationale, answer_type: str) -> str | None:
    """The stated answer: the one in the row, else what is read out of the text; a cut rationale states none."""
    if rationale.predicted is not None or rationale.verdict is not None or rationale.finish_reason == "length":
        return rationale.predicted
    try:
        return extract(rationale.text, answer_type, {})
    except Unreadable:
        return None
