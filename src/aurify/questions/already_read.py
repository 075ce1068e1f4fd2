"""Questions that Python gives, which no reader has seen: whether they are what a file's would be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

from aurify.answers import Judging, answer_type
from aurify.errors import UsageError
from aurify.questions.record import Question
from aurify.questions.rows import show


class ReadAs(Protocol):
    """Settings that say how questions are read."""

    @property
    def answers(self) -> str | None: ...
    @property
    def question_field(self) -> str | None: ...
    @property
    def answer_field(self) -> str | None: ...
    @property
    def skip_bad(self) -> bool: ...


def checked(questions: Sequence[Any], what: str) -> list[Question]:
    """The questions, where each is one that a run can ask, grade and keep.

    Raises:
        UsageError: one is no question, has a value of another type, an id that occurred before, an unknown answer
            type, or lacks what its answer type judges by.
    """
    seen: set[str] = set()
    for number, question in enumerate(questions, start=1):
        if not isinstance(question, Question):
            raise UsageError(f"{what}: number {number} is a {type(question).__name__}: expected a Question, as before")
        fault = _fault(question)
        if not fault and question.id in seen:
            fault = "its id occurs before: expected a new one"
        if fault:
            raise UsageError(f"{what}: question {number} ({show(question.id)}): {fault}")
        seen.add(question.id)
    return list(questions)


def refuse_unread(settings: ReadAs) -> None:
    """Refuse settings that say how rows are read, where there is none to read.

    Raises:
        UsageError: one is set.
    """
    given = {"--question-field": settings.question_field, "--answer-field": settings.answer_field}
    word = next((f"{flag} {value}" for flag, value in given.items() if value is not None), None)
    if word is None and settings.skip_bad:
        word = "--skip-bad"
    if word is not None:
        raise UsageError(f"{word}: nothing is read, since questions are given: give rows or a file, or leave it")


def refuse_other_answers(settings: ReadAs, questions: Sequence[Question], what: str) -> None:
    """Refuse ``--answers`` where no question is of that type, since each says its own.

    Raises:
        UsageError: so it is.
    """
    types = dict.fromkeys(question.answer_type for question in questions)
    if settings.answers is not None and types and settings.answers not in types:
        raise UsageError(
            f"--answers {settings.answers}: the questions of {what} say their own type, {', '.join(types)}: "
            "give rows or a file, or leave it"
        )


def _fault(question: Question) -> str | None:
    for field in fields(Question):
        value = getattr(question, field.name)
        if field.name == "accepted":
            fits, expected = isinstance(value, tuple) and all(isinstance(one, str) for one in value), "a tuple of texts"
        else:
            fits, expected = isinstance(value, str) or (field.name == "rationale" and value is None), "text"
        if not fits:
            return f"its {field.name} is {show(value)}: expected {expected}"
    try:
        kind = answer_type(question.answer_type)
    except UsageError as error:
        return str(error)
    return _lacks(kind, question) if isinstance(kind, Judging) else None


def _lacks(kind: Judging, question: Question) -> str | None:
    try:
        columns = json.loads(question.columns or "{}")
    except (ValueError, RecursionError):
        columns = None
    if not isinstance(columns, dict):
        return f"its columns are {show(question.columns)}: expected its row as a JSON object"
    return kind.lacks(columns, question.answer)
