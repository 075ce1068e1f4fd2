"""A row, read in the form that it has: what is asked, what the file holds as the answer, and what else it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurify.answers import ANSWER_TYPES, answer_type
from aurify.questions.acceptable import ACCEPTED_FIELDS, acceptable
from aurify.questions.choices import GOLD_FIELDS, Options
from aurify.questions.context import CONTEXT_FIELDS, REPORT_FIELDS, UNREADABLE_FIELDS
from aurify.questions.fields import Fields, given_id
from aurify.questions.forms import recognised
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import ANSWER_FIELDS, QUESTION_FIELDS
from aurify.questions.gold import as_text
from aurify.questions.rows import Row, RowError


@dataclass(frozen=True)
class Draft:
    """A row that has been read, but whose answer is still in the form of the file."""

    where: str
    fields: Mapping[str, Any]
    """The row as it is in the file."""
    form: str
    """The word of its form (``FORMS``)."""
    text: str
    answers: tuple[str, ...]
    """The acceptable answers, the first for hints; empty where ``options`` and ``marks`` tell."""
    answer_type: str | None
    """What the row itself says of its answer's type; None where the answers of the file must tell."""
    id: str | None
    task: str
    level: str
    rationale: str | None
    options: Options | None = None
    marks: tuple[tuple[str, Any], ...] = ()
    unread: tuple[str, ...] = ()
    """Fields that the question is about, and that no text could be read of."""


def draft(
    row: Row,
    task: str,
    question_field: str | None = None,
    answer_field: str | None = None,
    *,
    needs_answer: bool = True,
) -> Draft | None:
    """The row's question and answer; None where the row says that it must not be used (``in_train``).

    Args:
        task: the task's name, where the row has none of its own.
        question_field, answer_field: names or dotted paths that stand in for whatever would be recognised.
        needs_answer: whether a row without an answer is bad.

    Raises:
        RowError: something is missing, empty or of the wrong type.
    """
    fields = Fields(row.fields)
    if str(fields.get("in_train")).lower() == "true":
        return None
    fields = chosen_fields(fields, question_field, answer_field)
    form = recognised(fields)
    try:
        found = form.read(fields)
    except RowError:
        if needs_answer:
            raise
        found = question_of(fields)
    return Draft(
        where=row.where,
        fields=row.fields,
        form=form.word,
        text=found.whole,
        answers=tuple(dict.fromkeys((*found.answers, *_accepted(fields)))) if found.answers else (),
        answer_type=_declared(fields) or found.answer_type,
        id=given_id(fields),
        task=_task(fields, task),
        level=_label(fields.get("level"), "level"),
        rationale=found.rationale,
        options=found.options,
        marks=found.marks,
        unread=found.unread,
    )


def chosen_fields(fields: Fields, question: str | None, answer: str | None = None) -> Fields:
    """The row as if the chosen fields were called ``question`` and ``answer``, and no other could be meant."""
    values: dict[str, Any] = {}
    dropped: list[str] = []
    if question is not None:
        values["question"] = fields.at(question)
        dropped += [*QUESTION_FIELDS, *CONTEXT_FIELDS, *REPORT_FIELDS, *UNREADABLE_FIELDS]
    if answer is not None:
        values["answer"] = fields.at(answer)
        dropped += [*ANSWER_FIELDS, *GOLD_FIELDS, *ACCEPTED_FIELDS, "answer_number", "reward_model"]
    return fields.replaced(values, dropped) if values else fields


def _accepted(fields: Fields) -> tuple[str, ...]:
    """Further acceptable answers, in fields of their own."""
    return tuple(
        one for name in ACCEPTED_FIELDS if fields.filled([name]) for one in acceptable(fields[name], name)
    )  # fmt: skip


def _declared(fields: Fields) -> str | None:
    declared = fields.get("answer_type")
    known = isinstance(declared, str) and declared in ANSWER_TYPES.entries and answer_type(declared).inferred
    return str(declared) if known else None


def _task(fields: Fields, default: str) -> str:
    """A row's own task; MATH's is the subject."""
    own = fields.get("task")
    if own is None and "problem" in fields and "level" in fields:
        own = fields.get("subject", fields.get("type"))
    return _label(own, "task") or default


def _label(value: Any, field: str) -> str:
    """A label's text; empty where there is none."""
    return as_text(value, field).strip() if isinstance(value, (str, int)) and str(value).strip() else ""
