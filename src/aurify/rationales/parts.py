"""The files of a rationale table: their names, what is read of them, and who may remove them.

A part is named by the step of its flush, ``step-00000020.parquet``; parts that were joined by the steps of the first
and the last of them, ``step-00000020-00000200.parquet``. As soon as a joined part has its name, the parts that it was
made of count no more, whether they are still there or not.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from aurify.errors import AurifyError
from aurify.rationales.schema import NEVER_NULL, SCHEMA, SCHEMA_VERSION, VERSION_KEY
from aurify.text import first_line

ROWS_AT_ONCE = 16_384
"""Rows that are in memory together while a part is read or written: some tens of megabytes."""
JOINED_KEY = b"aurify.rationales.joined"
"""Where a joined part's schema says its level, and which parts with which hashes it is made of."""

_NAME = re.compile(r"step-(\d+)(?:-(\d+))?")


@dataclass(frozen=True, order=True)
class TablePart:
    """One file, of steps after those of the part before it."""

    first: int
    """The step of its flush, or of the first flush whose rows it holds."""
    last: int
    path: Path

    @classmethod
    def at(cls, path: Path) -> TablePart:
        """That of a file.

        Raises:
            AurifyError: its name is that of no part.
        """
        found = _NAME.fullmatch(path.stem)
        if found is None:
            raise AurifyError(
                f"{path}: not a part of a rationale table (expected step-NUMBER.parquet); move it elsewhere"
            )
        return cls(int(found[1]), int(found[2] or found[1]), path)

    def covers(self, other: TablePart) -> bool:
        """Whether it was made of the other one, and others."""
        return self.first <= other.first and other.last <= self.last and self.path != other.path

    @property
    def joined(self) -> Mapping[str, Any]:
        """``level``, 0 of a part that was flushed, and ``parts``: the hash of each that it was made of, by name.

        Raises:
            AurifyError: it is damaged.
        """
        return {"level": 0, "parts": {}} if self.first == self.last else self._footer().joined

    @property
    def rows(self) -> int:
        """How many there are.

        Raises:
            AurifyError: it is damaged.
        """
        return self._footer().rows

    def _footer(self) -> _Footer:
        with _reading(self.path):
            known = self.path.stat()
            return _footer(self.path, known.st_ino, known.st_size, known.st_mtime_ns)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Its rows, at most ``ROWS_AT_ONCE`` at a time, in these columns of ``SCHEMA``, or all.

        Raises:
            AurifyError: it is damaged, or written by a newer aurify.
        """
        wanted = SCHEMA.names if columns is None else [name for name in SCHEMA.names if name in columns]
        with _reading(self.path), pq.ParquetFile(self.path) as file:
            version = int((file.schema_arrow.metadata or {}).get(VERSION_KEY, SCHEMA_VERSION))
            if version > SCHEMA_VERSION:
                raise AurifyError(f"{self.path}: written by a newer aurify (table version {version}): update aurify")
            if missing := set(wanted) - set(file.schema_arrow.names):
                raise ValueError(f"no column {min(missing)}")
            schema = pa.schema([SCHEMA.field(name) for name in wanted], SCHEMA.metadata)
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=wanted):
                table = pa.Table.from_batches([batch]).select(wanted).cast(schema)
                for name in {*NEVER_NULL} & {*wanted}:
                    if table[name].null_count:
                        raise ValueError(f"{table[name].null_count} rows without {name}")
                yield table

    def digest(self) -> str:
        """Its hash."""
        return digest_of(self.path)


def digest_of(path: Path) -> str:
    """The hash of a file, as a run records it."""
    found = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def parts_of(folder: Path) -> list[TablePart]:
    """The parts that count, in the order of steps.

    Raises:
        AurifyError: a file is none.
    """
    found = _every(folder)
    wide = [part for part in found if part.first != part.last]
    return [part for part in found if not any(other.covers(part) for other in wide)]


def remove_joined(folder: Path) -> None:
    """Remove the parts that count no more, unless somebody reads the table just now."""
    counting = parts_of(folder)
    if old := [part for part in _every(folder) if part not in counting]:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
            for part in old if alone else []:
                part.path.unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[list[TablePart]]:
    """``parts_of`` a folder, none of which goes while the block lasts."""
    if not folder.is_dir():
        yield []
        return
    with _locked(folder, fcntl.LOCK_SH):
        yield parts_of(folder)


def damaged(path: Path, error: Exception) -> AurifyError:
    """What is said of a part that something was wrong with."""
    return AurifyError(f"{path}: damaged, or not a part of a rationale table: {first_line(error)}")


def _every(folder: Path) -> list[TablePart]:
    return sorted(map(TablePart.at, folder.glob("step-*.parquet")))


class _Footer(NamedTuple):
    """What stands at the end of a file."""

    rows: int
    joined: Mapping[str, Any]


@lru_cache(maxsize=1024)
def _footer(path: Path, *of_the_file: int) -> _Footer:
    """A file's, which is read again once the file is another."""
    found = pq.read_metadata(path)
    return _Footer(found.num_rows, json.loads((found.metadata or {}).get(JOINED_KEY, b"{}")))


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[bool]:
    """With the system's lock on a folder: whether it was had. True also where there are no locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, kind)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        yield True
    finally:
        with suppress(OSError):
            os.close(descriptor)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except AurifyError:
        raise
    except Exception as error:  # a damaged file makes Arrow raise anything
        raise damaged(path, error) from None
