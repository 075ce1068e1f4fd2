"""Rows of CSV, TSV and Parquet files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import IO, Any, cast

from aurify.questions.rows import BadRow, Row, show
from aurify.text import first_line

DELIMITERS = ",;\t|"
"""What may stand between two fields: spreadsheets write the semicolon where the comma marks decimals."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file in UTF-16 begins, which spreadsheets call Unicode text."""


def csv_rows(stream: IO[bytes], path: str, delimiter: str = ",") -> Iterator[Row | BadRow]:
    """One record a row, the first line being the names; quoted fields may hold line breaks.

    Where the first line holds no ``delimiter``, another of ``DELIMITERS`` that it holds is taken. Columns without a
    name and rows of empty fields, which spreadsheets leave at the margins, are left out. Bytes that are not UTF-8 (or
    UTF-16 with its mark) and records with too few or too many fields are bad rows; reading goes on after them.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    peeked = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    wide = peeked.peek(2)[:2] in UTF_16
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    text = io.TextIOWrapper(peeked, encoding=encoding, errors=errors, newline="")
    first = text.readline()
    reader = csv.reader(chain([first] if first else [], text), delimiter=_delimiter(first, delimiter), strict=True)
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
        if not any(value.strip() for value in values):
            continue
        if _undecodable(values):
            advice = "save the file as UTF-8 (spreadsheets call it CSV UTF-8)"
            yield BadRow(path, line, f"expected UTF-8, found other bytes: {advice}")
        elif names is None:
            names = values
            named = [name for name in names if name.strip()]
            if len(set(named)) < len(named):
                twice = next(name for name in named if named.count(name) > 1)
                yield BadRow(path, line, f"the column {show(twice)} occurs twice: expected different names")
                return
        elif len(values) != len(names):
            yield BadRow(path, line, f"expected {len(names)} fields as in the first line, found {len(values)}")
        else:
            yield Row(path, line, {name: value for name, value in zip(names, values, strict=True) if name.strip()})


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


def _delimiter(first: str, expected: str) -> str:
    """What stands between the names in the first line: ``expected``, unless that makes one name of them all."""
    for one in (expected, *(one for one in DELIMITERS if one != expected)):
        with suppress(csv.Error):
            if len(next(csv.reader([first], delimiter=one), [])) > 1:
                return one
    return expected


def _undecodable(values: list[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for value in values for character in value)
