"""The rows of any file with samples: what ``questions.files`` reads, inspect's logs, and OpenCompass' numbered ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from aurify.questions.files import read_rows
from aurify.questions.rows import BadRow, Row
from aurify.rationales.inspect_logs import inspect_samples


def log_rows(path: Path) -> Iterator[Row | BadRow]:
    """The rows of one file, as they stand in it.

    Raises:
        AurifyError: the format is not known, or an inspect log is damaged.
        OSError: the file cannot be read.
    """
    samples = inspect_samples(path)
    if samples is not None:
        yield from (Row(str(path), number, dict(sample)) for number, sample in enumerate(samples, 1))
        return
    for row in read_rows(path):
        numbered = _numbered(row.fields) if isinstance(row, Row) else None
        if isinstance(row, Row) and numbered is not None:
            yield from (Row(row.path, number, dict(fields)) for number, fields in enumerate(numbered, 1))
        else:
            yield row


def _numbered(fields: Mapping[str, object]) -> list[Mapping[str, object]] | None:
    """The rows of an object that numbers them, itself or as its ``details``: ``{"0": {...}, "1": {...}}``."""
    for held in (fields, fields.get("details")):
        if isinstance(held, Mapping):
            rows = [value for name, value in held.items() if str(name).isdigit() and isinstance(value, Mapping)]
            if rows and len(rows) >= len(held) - 1:  # beside them ``type``, which is the metric's
                return rows
    return None
