"""Rationales that somebody else collected: several samples a question, with their labels where they have any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.questions.fields import Fields
from aurify.questions.load import LoadedQuestions, load_questions, questions_of_rows
from aurify.questions.record import Question
from aurify.questions.rows import BadRow, Row
from aurify.rationales.known_questions import KnownQuestions
from aurify.rationales.log_files import log_files
from aurify.rationales.log_rows import log_rows
from aurify.rationales.logs import unwrapped_rows
from aurify.rationales.naming import question_name, torn, with_telling_ids
from aurify.rationales.sample_fields import LIST_FIELDS, MODEL_FIELDS, SAMPLE_FIELDS, is_cut, label_of
from aurify.rationales.written import written_samples
from aurify.text import single_spaced


@dataclass(frozen=True)
class Sample:
    """One text as it stands in the file."""

    text: str
    label: bool | None
    """Whether the file calls it right; None where it does not say."""
    model: str
    """Who wrote it, as far as the file tells."""
    truncated: bool
    where: str


@dataclass
class LabelledFile:
    """What a file holds: the questions in order, and the samples of each by its id."""

    questions: LoadedQuestions
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """``file:line`` of the rows whose question is not among those asked for."""


def read_labelled(
    path: str | Path,
    *,
    data: str | None = None,
    answers: str | None = None,
    question_field: str | None = None,
    answer_field: str | None = None,
    skip_bad: bool = False,
) -> LabelledFile:
    """Read samples and their questions from a file (JSONL, JSON, Parquet, CSV, gzipped too) or a folder of such.

    Of a folder ``log_files`` are read, as if they were one file.

    A row is a question with a list of samples (``LIST_FIELDS``: texts, or objects with one of ``SAMPLE_FIELDS``); or a
    question with one object a model (GSM8K's ``example_model_solutions``); or one sample, of a question that other rows
    repeat. Logs of other programs (``LOGS``) are read as such rows. ``LABEL_FIELDS`` say what the file thinks of a
    sample.

    Args:
        data: a question file to take the questions from, found by id and text (see ``KnownQuestions``). Without it the
            rows must hold the gold answers.
        answers, question_field, answer_field, skip_bad: as for ``load_questions``, of whichever file has the questions.

    Raises:
        AurifyError: a row that cannot be read, with its place, or no sample at all.
    """
    files = log_files(Path(path))
    options: dict[str, Any] = {
        "answers": answers, "question_field": question_field, "answer_field": answer_field, "skip_bad": skip_bad,
    }  # fmt: skip
    rows = with_telling_ids(unwrapped_rows(row for file in files for row in log_rows(file)), question_field)
    apart = torn((row.fields for row in rows if isinstance(row, Row)), question_field)
    names = [question_name(row.fields, question_field, apart) if isinstance(row, Row) else ("", "") for row in rows]
    if data is None:
        first: dict[str, Row | BadRow] = {}
        for row, (name, _) in zip(rows, names, strict=True):
            first.setdefault(single_spaced(name) or row.where, row)
        found = LabelledFile(questions_of_rows(first.values(), files[0], **options))
        if found.questions.imitated:
            raise AurifyError(f"{path}: it holds samples, and no answers to judge them by: name some with --data")
        places = {question.where: question for question in found.questions}
        of_rows = [places.get(first[single_spaced(name)].where) if name else None for name, _ in names]
    else:
        found = LabelledFile(load_questions(data, **options))
        known = KnownQuestions(found.questions)
        of_rows = [known.find(name, text) for name, text in names]
    for row, question in zip(rows, of_rows, strict=True):
        _take(found, row, question, skip_bad)
    found.unknown = found.unknown if data else []  # without it, such rows are bad ones, counted already
    if not found.samples:
        hint = f"none of the {len(rows)} rows is on a question of {data}" if data and found.unknown else "no samples"
        raise AurifyError(f"{path}: {hint}: expected a field named {', '.join(LIST_FIELDS)}, or {SAMPLE_FIELDS[0]}")
    return found


def _take(found: LabelledFile, row: Row | BadRow, question: Question | None, skip_bad: bool) -> None:
    """Take up a row's samples."""
    if isinstance(row, BadRow):
        if not skip_bad:
            raise AurifyError(f"{row.where}: {row.reason} (--skip-bad leaves such rows out)")
        return
    if question is None:
        found.unknown.append(row.where)
        return
    try:
        found.samples.setdefault(question.id, []).extend(_samples(row))
    except ValueError as error:
        if not skip_bad:
            raise AurifyError(f"{row.where}: {error} (--skip-bad leaves such rows out)") from None
        found.questions.skipped.append((row.where, str(error)))


def _samples(row: Row) -> Iterator[Sample]:
    """The samples of one row; see ``written_samples``."""
    model = next((str(row.fields[name]) for name in MODEL_FIELDS if row.fields.get(name)), "")
    for text, own, written_by in written_samples(row.fields):
        fields = Fields(own)
        by = str(fields.get("model") or written_by or model)
        yield Sample(text, label_of(fields), by, is_cut(text, fields), row.where)
