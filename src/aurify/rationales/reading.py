"""Rationales from anywhere: a run, a table, or a file that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from aurify.errors import AurifyError
from aurify.questions.fields import ID_FIELDS, QUESTION_FIELDS
from aurify.questions.files import read_rows
from aurify.questions.rows import BadRow, show
from aurify.rationales.record import Rationale, Source
from aurify.rationales.table import RationaleTable

TEXT_FIELDS = ("text", "rationale", "completion", "response", "output")
QUESTION_KEYS = tuple(dict.fromkeys(("question_id", *ID_FIELDS, *QUESTION_FIELDS)))
"""What may say which question a row answers; the first that is there counts."""

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
}
_RECORD = TypeAdapter(Rationale)


def read_rationales(path: str | Path) -> list[Rationale]:
    """The rationales of a run folder, of a table folder, or of one file.

    A file (Parquet, JSONL, JSON, CSV, gzipped too) needs, in each row, a question's id or text and a rationale's text
    (``QUESTION_KEYS``, ``TEXT_FIELDS``), or a list ``samples`` of objects that hold the latter. The table's other
    columns are taken where they are there; without them, a row is a teacher's that nobody has judged. Where only
    the question's text is given, ``question_id`` is that text.

    Raises:
        AurifyError: nothing to read there, a damaged file, or a row that lacks what it needs, with its place.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise AurifyError(f"{path}: no such file or folder")
        return list(_from_file(path))
    folder = path / "rationales" if (path / "rationales").is_dir() else path
    rationales = list(RationaleTable(folder).read())
    if not rationales:
        raise AurifyError(f"{path}: no rationales here: expected a run's folder, or step-*.parquet files")
    return rationales


def _from_file(path: Path) -> Iterator[Rationale]:
    for row in read_rows(path):
        if isinstance(row, BadRow):
            raise AurifyError(f"{row.where}: {row.reason}")
        try:
            samples = row.fields.get("samples")
            if isinstance(samples, list):
                for index, sample in enumerate(samples):
                    if not isinstance(sample, dict):
                        raise ValueError(f"expected objects in 'samples', found {show(sample)}")
                    yield _from_row({"sample_index": index, **row.fields, **sample})
            else:
                yield _from_row(row.fields)
        except ValueError as error:
            raise AurifyError(f"{row.where}: {error}") from None


def _from_row(fields: Mapping[str, Any]) -> Rationale:
    given = {name: fields[name] for name in _DEFAULTS if fields.get(name) not in (None, "")}
    if given.get("source") not in get_args(Source):
        given.pop("source", None)  # many files say with this word where a question is from
    if "predicted" in given:
        given["predicted"] = str(given["predicted"])
    try:
        return _RECORD.validate_python({**_DEFAULTS, **given, "question_id": _question(fields), "text": _text(fields)})
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{first['loc'][0]} {show(first['input'])}: {first['msg'].lower()}") from None


def _question(fields: Mapping[str, Any]) -> str:
    for name in QUESTION_KEYS:
        value = fields.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value):
            return str(value)
    raise ValueError(f"no question: expected a field named {', '.join(QUESTION_KEYS)}")


def _text(fields: Mapping[str, Any]) -> str:
    for name in TEXT_FIELDS:
        value = fields.get(name)
        if isinstance(value, str):
            return value
    raise ValueError(f"no rationale: expected a text field named {', '.join(TEXT_FIELDS)}")
