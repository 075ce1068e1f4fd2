"""Rationales from anywhere: a run, a table, or a file that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import TypeAdapter, ValidationError

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.questions.draft import chosen_fields
from aurify.questions.fields import Fields
from aurify.questions.rows import BadRow, Row, RowError, show
from aurify.rationales.log_files import log_files
from aurify.rationales.log_rows import log_rows
from aurify.rationales.logs import unwrapped_rows
from aurify.rationales.naming import QUESTION_KEYS, names_of, question_name, torn, with_telling_ids
from aurify.rationales.record import Rationale, Source
from aurify.rationales.sample_fields import is_cut, listed_field
from aurify.rationales.table import RationaleTable
from aurify.rationales.written import written_samples

_DEFAULTS: dict[str, Any] = {
    "token_ids": (),
    "predicted": None,
    "verdict": None,
    "reason": "",
    "source": "teacher",
    "model": "",
    "step": 0,
    "sample_index": 0,
    "seed": 0,
    "finish_reason": "stop",
    "logprob": None,
    "score": None,
    "move": None,
    "cut": 0,
}
_RECORD = TypeAdapter(Rationale)


class FileRationales(NamedTuple):
    """What a file, or a folder of files, of somebody else holds."""

    rationales: list[Rationale]
    texts: dict[str, str]
    """The text of each question by ``question_id``, where the rows give both."""
    first: dict[str, Row]
    """The first row of each question, by ``question_id``."""
    skipped: list[BadRow]
    """The rows that were left out."""


def read_rationales(path: str | Path) -> list[Rationale]:
    """The rationales of a run folder, of a table folder, of one file, or of a folder of files (see ``log_files``).

    A file (Parquet, JSONL, JSON, CSV, gzipped too) needs, in each row, a question's id or text (``QUESTION_KEYS``) and
    its rationales (see ``written_samples``). The table's other columns are taken where they are there; without them,
    a row is a teacher's that nobody has judged.

    ``question_id`` is the row's own, else its id, else its question's text; the text also where several rows of one
    question have each an id of its own, or several questions one.

    Raises:
        AurifyError: nothing to read there, a damaged file, or a row that lacks what it needs, with its place.
    """
    return read_with_texts(path)[0]


def read_with_texts(path: str | Path) -> tuple[list[Rationale], dict[str, str]]:
    """``read_rationales``, and the text of each question by ``question_id``, where the rows of a file give both."""
    path = Path(path)
    return (list(table_at(path).read()), {}) if is_table(path) else from_files(path)[:2]


def table_or_rows(path: str | Path) -> RationaleTable | list[Rationale]:
    """What ``read_rationales`` reads: a folder's table, of any size, or the rows of a file.

    Raises:
        AurifyError: as there.
    """
    return table_at(Path(path)) if is_table(path) else read_rationales(path)


def is_table(path: str | Path) -> bool:
    """Whether a run of aurify, or a table of one, is there; else it is a file, or a folder of files, of others."""
    path = Path(path)
    return any((path / name).exists() for name in ("rationales", "config.toml")) or any(path.glob("step-*.parquet"))


def table_at(path: Path) -> RationaleTable:
    """The table of a run's folder, or in a folder.

    Raises:
        AurifyError: it has no rows, or a part is damaged.
    """
    table = RationaleTable(path / "rationales" if (path / "rationales").is_dir() else path)
    if not any(map(len, table.batches(["question_id"]))):
        raise AurifyError(f"{path}: no rationales here: expected a run's folder, or step-*.parquet files")
    return table


def from_files(path: Path, question_field: str | None = None, *, skip_bad: bool = False) -> FileRationales:
    """The rationales of a file or a folder of files, no table, with what its rows tell of the questions.

    Args:
        question_field: the field with the question, or a dotted path; recognised if None.
        skip_bad: go on after a bad row.

    Raises:
        AurifyError: as ``read_rationales``.
    """
    rows = list(_rows(path, question_field))
    skipped = [row for row in rows if isinstance(row, BadRow)]
    good = [row for row in rows if isinstance(row, Row)]
    apart = torn([row.fields for row in good])
    found: list[Rationale] = []
    texts: dict[str, set[str]] = {}
    first: dict[str, Row] = {}
    for row in good:
        try:
            name, text = question_name(row.fields, torn=apart)
            if not name:
                raise ValueError(f"no question: expected a field named {', '.join(QUESTION_KEYS)}")
            found += list(_samples(row.fields, name))
        except ValueError as error:
            skipped.append(BadRow(row.path, row.line, str(error)))
            continue
        texts.setdefault(name, set()).add(text)
        first.setdefault(name, row)
    if skipped and not (skip_bad and found):
        raise AurifyError(f"{skipped[0].where}: {skipped[0].reason}")
    if not found:
        raise AurifyError(f"{path}: no rationales here: {'no row holds a sample' if rows else 'it has no rows'}")
    return FileRationales(
        found, {name: text for name, (text, *more) in texts.items() if text and not more}, first, skipped
    )


def _rows(path: Path, question_field: str | None) -> Iterator[Row | BadRow]:
    rows = unwrapped_rows(row for file in log_files(path) for row in log_rows(file))
    for row in with_telling_ids(rows, question_field):
        if isinstance(row, BadRow):
            yield row
            continue
        listed = listed_field(row.fields)
        if listed is None or any(names_of(row.fields, question_field)):
            yield _asking(row, question_field)
            continue
        for sample in row.fields[listed]:  # which say themselves what they are on
            yield _asking(replace(row, fields=sample if isinstance(sample, dict) else {}), question_field)


def _asking(row: Row, question_field: str | None) -> Row | BadRow:
    """The row with its question where it is recognised."""
    if question_field is None:
        return row
    try:
        return replace(row, fields=dict(chosen_fields(Fields(row.fields), question_field).original))
    except RowError as error:
        return BadRow(row.path, row.line, str(error))


def _samples(fields: Mapping[str, Any], name: str) -> Iterator[Rationale]:
    """The rationales of one row, which is on the question of this name."""
    listed = listed_field(fields) is not None
    for index, (text, own, model) in enumerate(written_samples(fields)):
        place = {"sample_index": index} if listed or model else {}
        yield _record({**place, **fields, **({"model": model} if model else {}), **own}, name, text)


def _record(row: Mapping[str, Any], name: str, text: str) -> Rationale:
    fields = Fields(row)
    given = {key: fields[key] for key in _DEFAULTS if fields.get(key) not in (None, "")}
    if not given.get("token_ids"):  # of others, with words of theirs for its end and its worth, and moves in chess
        given["finish_reason"] = "length" if is_cut(text, fields) else "stop"
        given.pop("move", None)
        given.pop("cut", None)
        if given.get("verdict") not in list(Verdict):
            given.pop("verdict", None)
    if given.get("source") not in get_args(Source):
        given.pop("source", None)  # many files say with this word where a question is from
    if isinstance(given.get("score"), bool) or not isinstance(given.get("score"), (int, float)):
        given.pop("score", None)
    if isinstance(given.get("predicted"), (int, float)):
        given["predicted"] = str(given["predicted"])
    try:
        return _RECORD.validate_python({**_DEFAULTS, **given, "question_id": name, "text": text})
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{first['loc'][0]} {show(first['input'])}: {first['msg'].lower()}") from None
