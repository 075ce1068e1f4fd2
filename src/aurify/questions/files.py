"""Question files on disk: which format a file has, gzip or not, and its rows one after the other."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from aurify.errors import AurifyError, close_to
from aurify.questions.json_rows import BOM, is_json_lines, json_document, json_lines
from aurify.questions.rows import BadRow, Row
from aurify.questions.table_rows import csv_rows, parquet_rows

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""The formats, by the end of the name; each may be followed by ``.gz``."""


def data_files(path: Path) -> list[Path]:
    """The file itself, or the question files of a folder in the order of their names.

    Raises:
        AurifyError: there is no such file, or the folder holds no question file.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and format_of(file) in SUFFIXES)
        if not files:
            raise AurifyError(f"{path}: the folder holds no question file (expected {', '.join(SUFFIXES)})")
        return files
    if not path.exists():
        raise AurifyError(f"{path}: no such file{_meant(path)}")
    return [path]


def _meant(path: Path) -> str:
    """Which file beside a missing one may be meant: one of a like stem (formats make no likeness), or the only one."""
    siblings = [file for file in path.parent.iterdir() if file.is_file()] if path.parent.is_dir() else []
    if len(siblings) >= 1000:
        return ""
    stem = close_to(_stem(path), [_stem(file) for file in siblings], cutoff=0.6)
    like = [file.name for file in siblings if _stem(file) == stem]
    only = [file.name for file in siblings if format_of(file) in SUFFIXES]
    name = close_to(path.name, like, cutoff=0.0) if stem else only[0] if len(only) == 1 else ""
    return f"; did you mean '{name}'?" if name else ""


def _stem(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).stem if Path(name).suffix in SUFFIXES else name


def format_of(path: Path) -> str:
    """The suffix that says a file's format, without ``.gz``, in lower case."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def read_rows(path: Path) -> Iterator[Row | BadRow]:
    """The rows of one file, read as they are asked for. What cannot be read is a BadRow with its line.

    Raises:
        AurifyError: the format is not known.
        OSError: the file cannot be opened or read.
    """
    line = 0
    try:
        with path.open("rb") as raw:
            packed = _starts_with(raw, b"\x1f\x8b")
            stream = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if packed else raw
            for row in _rows(stream, path):
                line = row.line
                yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        yield BadRow(str(path), line + 1, f"the gzip file is cut short or damaged ({reason}): fetch it again")


def _rows(stream: IO[bytes], path: Path) -> Iterator[Row | BadRow]:
    suffix, name = format_of(path), str(path)
    if suffix == ".parquet" or _starts_with(stream, b"PAR1"):
        return parquet_rows(io.BytesIO(stream.read()), name)
    if suffix in (".csv", ".tsv"):
        return csv_rows(stream, name, "\t" if suffix == ".tsv" else ",")
    if suffix in (".jsonl", ".ndjson"):
        return json_lines(stream, name)
    if suffix == ".json" or _starts_with(stream, b"{") or _starts_with(stream, b"["):
        return _json_rows(stream, name)
    raise AurifyError(f"{path}: unknown format (expected the name to end in {', '.join(SUFFIXES)}, or these and .gz)")


def _json_rows(stream: IO[bytes], name: str) -> Iterator[Row | BadRow]:
    first = stream.readline()
    if is_json_lines(first):
        return json_lines(chain([first], stream), name)
    return json_document(first + stream.read(), name)


def _starts_with(stream: IO[bytes], mark: bytes) -> bool:
    """Whether the next bytes, a BOM aside, are ``mark``; they stay unread, so that pipes work too."""
    head: bytes = stream.peek(8)  # type: ignore[attr-defined]  # both kinds of stream here are buffered readers
    return head.removeprefix(BOM).startswith(mark)
