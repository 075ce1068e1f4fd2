"""The rationale table: an append-only Parquet dataset that ``datasets.load_dataset`` opens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.files import write_atomically
from aurify.rationales.record import Rationale

SCHEMA_VERSION = 1
"""Of the schema; a table with a later one is refused."""

_VERSION_KEY = b"aurify.rationales.version"
_ADDED: dict[str, Any] = {"move": None, "cut": 0, "score": None}
"""Columns that tables of version 1 had not at first, and what holds where they are missing."""


def _field(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


SCHEMA = pa.schema(
    [
        _field("question_id", pa.string(), "id of the question it answers"),
        _field("token_ids", pa.list_(pa.int32()), "the sampled token ids, EOS included if sampled; empty: text only"),
        _field("text", pa.string(), "the decoded text, without special tokens"),
        _field("predicted", pa.string(), "the answer read out of the text; null: none was found"),
        _field("verdict", pa.string(), "right, wrong, unparsable, truncated, timeout or left-out; null: not judged"),
        _field("reason", pa.string(), "why this verdict"),
        _field("source", pa.string(), "who wrote it: self, guide, few-shot, teacher or gold"),
        _field("model", pa.string(), "name of the model that wrote it"),
        _field("step", pa.int64(), "training step in which it was drawn; 0: before the first"),
        _field("sample_index", pa.int32(), "place among the samples of the same question and step"),
        _field("seed", pa.int64(), "63-bit seed it was drawn with"),
        _field("finish_reason", pa.string(), "stop (EOS or a stop string) or length (cut at the token limit)"),
        _field("logprob", pa.float64(), "sum of log-probabilities of the drawn tokens under its model; null: unknown"),
        _field("move", pa.string(), "how it was proposed to a chain: independent, suffix or guide; null: it was not"),
        _field("cut", pa.int32(), "how many of its first tokens stood before and were not drawn"),
        _field("score", pa.float64(), "what a reward function gave for it; null: no such function judged it"),
    ],
    metadata={_VERSION_KEY: str(SCHEMA_VERSION)},
)


NEVER_NULL = tuple(
    name for name in SCHEMA.names if name not in ("predicted", "verdict", "reason", "logprob", "move", "score")
)
"""The columns in which every row has a value."""


class RationaleTable:
    """A folder of part files, one a flush, named by step. One process at a time may write to it."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._buffer: list[Rationale] = []
        self.digests: dict[str, str] = {}
        """The hash of every part that was written, by name; ``check`` takes those of an earlier process over."""

    def append(self, rationales: Iterable[Rationale]) -> None:
        """Take rows, in memory until the next flush."""
        self._buffer.extend(rationales)

    def flush(self, step: int) -> None:
        """Write the rows taken since the last flush, atomically, as the part of ``step``; without rows, nothing.

        Call it with every checkpoint: then ``drop_after`` the checkpoint's step forgets what came later, no more.
        """
        if not self._buffer:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"step-{step:08d}.parquet"
        table = to_table(self._buffer)
        if part.exists():  # append-only: a second flush of a step adds to its part
            table = pa.concat_tables([_read_part(part), table])
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        write_atomically(part, content)
        self.digests[part.name] = _digest(content)
        self._buffer.clear()

    def drop_after(self, step: int) -> None:
        """Forget the parts of later steps, what was not flushed, and what a killed process left half written.

        A run that goes on from the checkpoint of ``step`` then leaves the table that it would have left at once.
        """
        self._buffer.clear()
        for part in self._parts():
            if _step(part) > step:
                part.unlink()
                self.digests.pop(part.name, None)
        for leftover in self.folder.glob(".step-*.tmp-*"):
            leftover.unlink()

    def check(self, digests: Mapping[str, str]) -> list[str]:
        """Take over what an earlier process wrote, by its ``digests``; a line for every part that is not as it was."""
        self.digests = dict(digests)
        problems = []
        for name, digest in digests.items():
            part = self.folder / name
            if not part.is_file():
                problems.append(f"{part}: missing, though the run wrote it")
            elif _digest(part.read_bytes()) != digest:
                problems.append(f"{part}: changed or damaged since the run wrote it")
        return problems

    def read(self) -> Iterator[Rationale]:
        """The rows on disk, part by part in the order of steps; none where there is no folder.

        Raises:
            AurifyError: a part is damaged, naming it.
        """
        for part in self._parts():
            yield from _rationales(part, _read_part(part))

    def arrow(self) -> Iterator[pa.Table]:
        """The parts as Arrow tables of ``SCHEMA``, for who wants columns rather than records.

        Raises:
            AurifyError: a part is damaged, naming it.
        """
        yield from map(_read_part, self._parts())

    def steps(self) -> list[int]:
        """The steps that have a part on disk, in order."""
        return [_step(part) for part in self._parts()]

    def read_step(self, step: int) -> list[Rationale]:
        """The rows of one part.

        Raises:
            AurifyError: the part is damaged, or not there.
        """
        part = self.folder / f"step-{step:08d}.parquet"
        return list(_rationales(part, _read_part(part)))

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.parquet"), key=_step)


def to_table(rationales: Iterable[Rationale]) -> pa.Table:
    """Rows as an Arrow table of ``SCHEMA``; lone surrogates, which Parquet cannot hold, are spelled: ``\\udXXX``."""
    rows = list(rationales)
    columns = [pa.array([_plain(getattr(row, field.name)) for row in rows], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Rationale]:
    """Rationales from rows of the table's columns.

    Raises:
        KeyError, TypeError, ValueError: a column is missing, or a value is of the wrong kind.
    """
    return [
        Rationale(
            **{
                **{field.name: row[field.name] for field in SCHEMA if field.name not in _ADDED},
                **{name: row[name] for name in _ADDED if row.get(name) is not None},
                "token_ids": tuple(row["token_ids"]),
                "verdict": None if row["verdict"] is None else Verdict(row["verdict"]),
            }
        )
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _step(part: Path) -> int:
    digits = part.stem.removeprefix("step-")
    if not digits.isdecimal():
        raise AurifyError(f"{part}: not a part of a rationale table (expected step-NUMBER.parquet); move it elsewhere")
    return int(digits)


def _read_part(part: Path) -> pa.Table:
    try:
        table = pq.read_table(part, partitioning=None)
        version = int((table.schema.metadata or {}).get(_VERSION_KEY, SCHEMA_VERSION))
        if version > SCHEMA_VERSION:
            raise AurifyError(f"{part}: written by a newer aurify (table version {version}): update aurify")
        for name, value in _ADDED.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array([value] * len(table), SCHEMA.field(name).type))
        table = table.select(SCHEMA.names).cast(SCHEMA)
        for name in NEVER_NULL:
            if table[name].null_count:
                raise ValueError(f"{table[name].null_count} rows without {name}")
        return table
    except AurifyError:
        raise
    except Exception as error:  # a damaged file makes Arrow raise anything
        raise AurifyError(_damaged(part, error)) from None


def _rationales(part: Path, table: pa.Table) -> Iterator[Rationale]:
    for batch in table.to_batches(max_chunksize=1024):
        try:
            yield from from_rows(batch.to_pylist())
        except Exception as error:  # as above
            raise AurifyError(_damaged(part, error)) from None


def _damaged(part: Path, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{part}: damaged, or not a part of a rationale table: {reason}"
