"""Rationales from anywhere: a run, a table, or a file that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import TypeAdapter, ValidationError

from aurify.errors import AurifyError
from aurify.questions.draft import chosen_fields
from aurify.questions.fields import ID_FIELDS, Fields
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import QUESTION_FIELDS
from aurify.questions.rows import BadRow, Row, RowError, show
from aurify.rationales.log_rows import log_rows
from aurify.rationales.logs import is_cut, listed_field, unwrapped_rows
from aurify.rationales.record import Rationale, Source
from aurify.rationales.table import RationaleTable
from aurify.rationales.written import written_samples

_ROW_IDS = tuple(name for name in ID_FIELDS if name != "question_id")
QUESTION_KEYS = ("question_id", *_ROW_IDS, *QUESTION_FIELDS)
"""What may say which question a row answers."""

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


def read_rationales(path: str | Path) -> list[Rationale]:
    """The rationales of a run folder, of a table folder, or of one file.

    A file (Parquet, JSONL, JSON, CSV, gzipped too) needs, in each row, a question's id or text (``QUESTION_KEYS``) and
    its rationales (see ``written_samples``). The table's other columns are taken where they are there; without them,
    a row is a teacher's that nobody has judged.

    ``question_id`` is the row's own, else its id, else its question's text; the text also where several rows of one
    question have each an id of its own.

    Raises:
        AurifyError: nothing to read there, a damaged file, or a row that lacks what it needs, with its place.
    """
    return read_with_texts(path)[0]


def read_with_texts(path: str | Path) -> tuple[list[Rationale], dict[str, str]]:
    """``read_rationales``, and the text of each question by ``question_id``, where the rows of a file give both."""
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise AurifyError(f"{path}: no such file or folder")
        return _from_file(path)
    return list(table_at(path).read()), {}


def table_or_rows(path: str | Path) -> RationaleTable | list[Rationale]:
    """What ``read_rationales`` reads: a folder's table, of any size, or the rows of a file.

    Raises:
        AurifyError: as there.
    """
    return table_at(Path(path)) if Path(path).is_dir() else read_rationales(path)


def table_at(path: Path) -> RationaleTable:
    """The table of a run's folder, or in a folder.

    Raises:
        AurifyError: it has no rows, or a part is damaged.
    """
    table = RationaleTable(path / "rationales" if (path / "rationales").is_dir() else path)
    if not any(map(len, table.batches(["question_id"]))):
        raise AurifyError(f"{path}: no rationales here: expected a run's folder, or step-*.parquet files")
    return table


def plain(text: str) -> str:
    """The text with single spaces: by it questions are known again."""
    return " ".join(text.split())


def _from_file(path: Path) -> tuple[list[Rationale], dict[str, str]]:
    rows = list(_rows(path))
    torn = _torn([row.fields for row in rows])
    found: list[Rationale] = []
    texts: dict[str, set[str]] = {}
    for row in rows:
        try:
            name, text = _question(row.fields, torn)
            found += _samples(row.fields, name)
        except ValueError as error:
            raise AurifyError(f"{row.where}: {error}") from None
        texts.setdefault(name, set()).add(text)
    if not found:
        raise AurifyError(f"{path}: no rationales here: {'no row holds a sample' if rows else 'it has no rows'}")
    return found, {name: text for name, (text, *more) in texts.items() if text and not more}


def _rows(path: Path) -> Iterator[Row]:
    for row in unwrapped_rows(log_rows(path)):
        if isinstance(row, BadRow):
            raise AurifyError(f"{row.where}: {row.reason}")
        listed = listed_field(row.fields)
        if listed is None or any(names_of(row.fields)):
            yield row
            continue
        for sample in row.fields[listed]:  # which say themselves what they are on
            yield replace(row, fields=sample if isinstance(sample, dict) else {})


def _samples(fields: Mapping[str, Any], name: str) -> Iterator[Rationale]:
    """The rationales of one row, which is on the question of this name."""
    listed = listed_field(fields) is not None
    for index, (text, own, model) in enumerate(written_samples(fields)):
        place = {"sample_index": index} if listed or model else {}
        yield _record({**place, **fields, **({"model": model} if model else {}), **own}, name, text)


def _record(row: Mapping[str, Any], name: str, text: str) -> Rationale:
    fields = Fields(row)
    given = {key: fields[key] for key in _DEFAULTS if fields.get(key) not in (None, "")}
    if not given.get("token_ids"):  # of others, who have other words for how a sample ended, and moves in chess
        given["finish_reason"] = "length" if is_cut(text, fields) else "stop"
        given.pop("move", None)
        given.pop("cut", None)
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


class Names(NamedTuple):
    """What a row calls its question; empty where it does not say."""

    given: str
    """Its ``question_id``, as in a table."""
    own: str
    """Another id: the question's, or the row's own."""
    text: str
    """The question as ``aurify.questions`` reads it."""


def names_of(row: Mapping[str, Any], question_field: str | None = None) -> Names:
    """What names the question of a row, whose field with the question may be told."""
    fields = Fields(row)
    try:
        text = question_of(fields if question_field is None else chosen_fields(fields, question_field)).whole
    except RowError:
        text = ""
    return Names(_first(fields, ("question_id",)), _first(fields, _ROW_IDS), text)


def _torn(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The texts of questions of which each row, a single sample, has an id of its own."""
    ids: dict[str, list[str]] = {}
    for fields in rows:
        given, own, text = names_of(fields)
        if text and not given and listed_field(fields) is None:
            ids.setdefault(text, []).append(own)
    return {text for text, own in ids.items() if len(own) > 1 and "" not in own and len(set(own)) == len(own)}


def _question(fields: Mapping[str, Any], torn: Set[str]) -> tuple[str, str]:
    """The name of a row's question, and its text."""
    given, own, text = names_of(fields)
    if text in torn and listed_field(fields) is None:
        own = ""
    name = given or own or text
    if not name:
        raise ValueError(f"no question: expected a field named {', '.join(QUESTION_KEYS)}")
    return name, text


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these fields that holds a text or a whole number, as text."""
    values = (fields.get(name) for name in names)
    found = (str(value) for value in values if isinstance(value, (str, int)) and not isinstance(value, bool))
    return next((value for value in found if value), "")
