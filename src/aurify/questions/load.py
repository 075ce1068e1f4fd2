"""Loads questions: rows of any source, their fields recognised, their answers in canonical form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aurify.answers import answer_type
from aurify.answers.custom import word_of
from aurify.errors import AurifyError, UsageError
from aurify.questions.draft import Draft, draft
from aurify.questions.files import SUFFIXES, data_files, format_of, read_rows
from aurify.questions.forms.demonstrations import DEMONSTRATIONS
from aurify.questions.given import GIVEN_IN_PYTHON, Name, RowsInPython, all_given, are_questions, are_rows, rows_of
from aurify.questions.hub import PREFIX, hub_rows, hub_task
from aurify.questions.ids import Ids
from aurify.questions.record import Question
from aurify.questions.rows import BadRow, Row, RowError
from aurify.questions.settle import Settled, settled

GENERIC_NAMES = {"train", "test", "dev", "valid", "validation", "val", "eval", "data", "main", "questions", "default"}
"""File names that say nothing of the task: the folder's name is taken."""


class LoadedQuestions(list[Question]):
    """The questions of one load, in the order of the source, and what is to be said about them."""

    def __init__(self, questions: Iterable[Question], *, source: str, inferred: bool) -> None:
        super().__init__(questions)
        self.source = source
        """What was loaded, as the user named it."""
        self.inferred = inferred
        """Whether the answer types were inferred rather than given."""
        self.skipped: list[tuple[str, str]] = []
        """(``file:line`` or ``row N``, reason) of every bad row, in order."""
        self.notes: list[str] = []
        """Facts a user should know: rows left out on purpose, a split that was chosen."""
        self.forms: Counter[str] = Counter()
        """How many questions came in each form (``FORMS``)."""

    @property
    def imitated(self) -> bool:
        """Whether some answers are read of texts that may be samples of a model as well."""
        return self.forms[DEMONSTRATIONS.word] > 0

    @property
    def answer_types(self) -> Counter[str]:
        """How many questions have each answer type."""
        return Counter(question.answer_type for question in self)

    @property
    def answer_type(self) -> str:
        """The questions' one answer type, or ``mixed``; each question says its own."""
        types = self.answer_types
        return next(iter(types)) if len(types) == 1 else "mixed"


def load_questions(
    data: Name | Iterable[Name] | RowsInPython,
    *,
    answers: str | Callable[..., Any] | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    skip_bad: bool = False,
) -> LoadedQuestions:
    """Read questions from a file, a folder of files, ``hf:NAME[:CONFIG[:SPLIT]]``, several of these, or rows.

    Args:
        data: the source or sources. Files are JSON Lines, JSON, CSV, TSV or Parquet, gzipped or not. Rows are an
            iterable of dicts, a frame or a ``datasets.Dataset``, with the fields that a file would have.
        answers: the answers' type: a word of ``ANSWER_TYPES``, module:function or a function itself; inferred by file
            and row if None.
        question_field: the field with the question, or a dotted path; recognised (``FORMS``) if None.
        answer_field: the field with the gold answer, or a dotted path; recognised if None.
        skip_bad: go on after a bad row, and keep it in ``skipped``.

    Raises:
        UsageError: ``answers``, an ``hf:`` name or ``data`` itself is not of a known form.
        AurifyError: a row is bad (naming file:line, or ``row N``) and ``skip_bad`` is off, or there is no question.
    """
    loaded = read_questions(
        data, answers=word_of(answers), question_field=question_field, answer_field=answer_field, skip_bad=skip_bad
    )
    if not loaded:
        first = f"; the first bad row is {': '.join(loaded.skipped[0])}" if loaded.skipped else ""
        raise AurifyError(f"{loaded.source}: no questions: expected rows with a question and an answer{first}")
    return loaded


def read_questions(
    data: Name | Iterable[Name] | RowsInPython,
    *,
    answers: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    skip_bad: bool = False,
) -> LoadedQuestions:
    """``load_questions`` for those who report on a file: with ``skip_bad`` there may be no question at all."""
    if answers is not None:
        answer_type(answers)
    given = all_given(data)
    if given and are_questions(given):
        raise UsageError("data: these are questions, which have been read: use them as they are")
    source = ", ".join(map(str, given)) if given and not are_rows(given) else GIVEN_IN_PYTHON
    loaded = LoadedQuestions([], source=source, inferred=answers is None)
    ids = Ids()
    for name, task, rows in _opened(given, loaded.notes):
        _add(loaded, rows, name, task, answers, (question_field, answer_field), ids, skip_bad)
    return loaded


def refuse_missing_data(source: str) -> None:
    """Complain of a source that is no file, before anything that takes time is begun.

    Raises:
        AurifyError: there is no such file, or the folder holds no question file.
    """
    if not source.startswith(PREFIX):
        data_files(Path(source))


def questions_of_rows(
    rows: Iterable[Row | BadRow],
    file: Path,
    *,
    answers: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    skip_bad: bool = False,
) -> LoadedQuestions:
    """``read_questions`` for those who have read the rows of ``file`` themselves, and chosen among them."""
    if answers is not None:
        answer_type(answers)
    loaded = LoadedQuestions([], source=str(file), inferred=answers is None)
    _add(loaded, rows, str(file), _task_of(file), answers, (question_field, answer_field), Ids(), skip_bad)
    return loaded


def _add(
    loaded: LoadedQuestions,
    rows: Iterable[Row | BadRow],
    name: str,
    task: str,
    answers: str | None,
    chosen: tuple[str | None, str | None],
    ids: Ids,
    skip_bad: bool,
) -> None:
    """Take up the questions of one source."""
    bad = _BadRows(skip_bad)
    needs_answer = answers is None or answer_type(answers).compares
    drafts = _drafts(rows, name, task, chosen, bad, loaded.notes, needs_answer=needs_answer)
    imitated = sum(one.form == DEMONSTRATIONS.word for one in drafts)
    if imitated:
        loaded.notes.append(f"{name}: {imitated} of {len(drafts)} answers are what a text to imitate states")
    for one, answer in settled(drafts, name, answers, loaded.notes):
        try:
            if isinstance(answer, RowError):
                raise answer
            loaded.append(_question(one, answer, ids))
            loaded.forms[one.form] += 1
        except RowError as error:
            bad.add(one.where, str(error))
    loaded.skipped.extend(bad.in_order())


def _opened(given: Sequence[Any], notes: list[str]) -> Iterator[tuple[str, str, Iterator[Row | BadRow]]]:
    """(name, default task, rows) of every single file or hub data set, or of the rows given."""
    if are_rows(given):
        yield GIVEN_IN_PYTHON, "", rows_of(given)
        return
    for source in given:
        if isinstance(source, str) and source.startswith(PREFIX):
            rows, split = hub_rows(source)
            notes.append(f"{source}: the split '{split}' was read")
            yield source, hub_task(source), iter(rows)
            continue
        for file in data_files(Path(source)):
            yield str(file), _task_of(file), read_rows(file)


def _task_of(file: Path) -> str:
    stem = file.name[: -len(".gz")] if file.name.lower().endswith(".gz") else file.name
    stem = stem.removesuffix(Path(stem).suffix) if format_of(file) in SUFFIXES else stem
    folder = file.absolute().parent.name
    return folder if stem.lower() in GENERIC_NAMES and folder else stem


class _BadRows:
    """Collects bad rows, or raises at the first."""

    def __init__(self, skip: bool) -> None:
        self._skip = skip
        self._found: list[tuple[int, str, str]] = []

    def add(self, where: str, reason: str) -> None:
        if not self._skip:
            raise AurifyError(f"{where}: {reason} (--skip-bad leaves such rows out)")
        self._found.append((int(re.split("[: ]", where)[-1]), where, reason))

    def in_order(self) -> list[tuple[str, str]]:
        return [(where, reason) for _, where, reason in sorted(self._found)]


def _drafts(
    rows: Iterable[Row | BadRow],
    name: str,
    task: str,
    chosen: tuple[str | None, str | None],
    bad: _BadRows,
    notes: list[str],
    *,
    needs_answer: bool,
) -> list[Draft]:
    drafts: list[Draft] = []
    seen = left_out = 0
    for seen, row in enumerate(rows, start=1):  # noqa: B007  # the count is used after the loop
        if isinstance(row, BadRow):
            bad.add(row.where, row.reason)
            continue
        try:
            found = draft(row, task, *chosen, needs_answer=needs_answer)
        except RowError as error:
            bad.add(row.where, str(error))
            continue
        if found is None:
            left_out += 1
        else:
            drafts.append(found)
    if not seen:
        bad.add(f"{name}:1", "no rows: expected at least one, with a question and an answer")
    if left_out:
        notes.append(f"{name}: {left_out} rows flagged 'in_train' were left out: the training set holds their question")
    lacking = [one for one in drafts if one.unread]
    if lacking:
        held = ", ".join(f"'{field}'" for field in dict.fromkeys(field for one in lacking for field in one.unread))
        told = f"questions are asked without their {held}, which cannot be read as text"
        notes.append(f"{name}: {len(lacking)} of {len(drafts)} {told}")
    return drafts


def _question(one: Draft, found: Settled, ids: Ids) -> Question:
    return Question(
        id=ids.take(one.id, one.task, found.text, one.where),
        text=found.text,
        answer=found.answer,
        answer_type=found.answer_type,
        task=one.task,
        level=one.level,
        rationale=found.rationale,
        accepted=found.accepted,
        columns=found.columns,
        where=one.where,
    )
