"""Rows of CSV, TSV and Parquet files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from typing import IO, Any

from aurify.questions.rows import BadRow, Row, show
from aurify.text import first_line


def csv_rows(stream: IO[bytes], path: str, delimiter: str = ",") -> Iterator[Row | BadRow]:
    """One record a row, the first line being the names; quoted fields may hold line breaks.

    Bytes that are not UTF-8 and records with too few or too many fields are bad rows; reading goes on after them.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    names: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield BadRow(path, line, f"not valid CSV: {error}; quotes inside a field are doubled")
            continue
        if values is None:
            return
        if not values:
            continue
        if _undecodable(values):
            yield BadRow(path, line, "expected UTF-8, found other bytes: save the file as UTF-8")
        elif names is None:
            names = values
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                yield BadRow(path, line, f"the column {show(twice)} occurs twice: expected different names")
                return
        elif len(values) != len(names):
            yield BadRow(path, line, f"expected {len(names)} fields as in the first line, found {len(values)}")
        else:
            yield Row(path, line, dict(zip(names, values, strict=True)))


def parquet_rows(data: IO[bytes], path: str) -> Iterator[Row | BadRow]:
    """The rows of a Parquet file, some thousand at a time; a row's place is its number."""
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(data)
        for batch in table.iter_batches(batch_size=1024):
            for index in range(batch.num_rows):
                number += 1
                yield _parquet_row(batch, index, path, number)
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        yield BadRow(path, number + 1, f"not a readable Parquet file: {show(first_line(error), 120)}")


def _parquet_row(batch: Any, index: int, path: str, number: int) -> Row | BadRow:
    try:
        values = {name: batch.column(place)[index].as_py() for place, name in enumerate(batch.schema.names)}
    except (UnicodeDecodeError, ValueError) as error:
        return BadRow(path, number, f"holds a value that cannot be read: {show(str(error), 120)}")
    return Row(path, number, values)


def _undecodable(values: list[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for value in values for character in value)
