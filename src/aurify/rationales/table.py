"""The rationale table: an append-only Parquet dataset that ``datasets.load_dataset`` opens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aurify.errors import AurifyError
from aurify.files import atomic_writer, write_atomically
from aurify.rationales.joining import join_table_parts
from aurify.rationales.parts import ROWS_AT_ONCE, TablePart, damaged, digest_of, held, parts_of, remove_joined
from aurify.rationales.record import Rationale
from aurify.rationales.schema import SCHEMA, from_rows, to_table


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

    def flush(self, step: int, *, settled: int = -1) -> None:
        """Write the rows taken since the last flush, atomically, as the part of ``step``; without rows, nothing.

        Call it with every checkpoint: then ``drop_after`` the checkpoint's step forgets what came later, no more.

        Args:
            settled: parts of steps up to this one may be joined (see ``joining``): the run goes back to none before.
        """
        if not self._buffer:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"step-{step:08d}.parquet"
        table = to_table(self._buffer)
        if part.exists():  # append-only: a second flush of a step adds to its part
            table = pa.concat_tables([*TablePart.at(part).batches(), table])
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", row_group_size=ROWS_AT_ONCE)
        content = sink.getvalue().to_pybytes()
        write_atomically(part, content)
        self.digests[part.name] = hashlib.blake2b(content, digest_size=16).hexdigest()
        self._buffer.clear()
        self.digests = join_table_parts(self.folder, settled, self.digests)

    def write_part(self, step: int, rationales: Iterable[Rationale]) -> int:
        """Write rows as the whole part of ``step``, and say how many they were; without rows, nothing.

        ``ROWS_AT_ONCE`` of them are in memory at a time.
        """
        rows, count = iter(rationales), 0
        if not (some := list(islice(rows, ROWS_AT_ONCE))):
            return 0
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"step-{step:08d}.parquet"
        with atomic_writer(part) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            while some:
                count += len(some)
                writer.write_table(to_table(some))
                some = list(islice(rows, ROWS_AT_ONCE))
        self.digests[part.name] = digest_of(part)
        return count

    def drop_after(self, step: int) -> None:
        """Forget the parts of later steps, what was not flushed, and what a killed process left half written.

        A run that goes on from the checkpoint of ``step`` then leaves the table that it would have left at once.

        Raises:
            AurifyError: earlier and later steps were joined; nothing was removed.
        """
        self._buffer.clear()
        later = [part for part in parts_of(self.folder) if part.last > step]
        for part in later:
            if part.first <= step:
                raise AurifyError(f"{part.path}: joins steps before and after step {step}, so the latter cannot go")
        for part in later:
            part.path.unlink()
            self.digests.pop(part.path.name, None)
        if self.folder.is_dir():
            remove_joined(self.folder)
        for leftover in self.folder.glob(".step-*.tmp-*"):
            leftover.unlink()

    def check(self, digests: Mapping[str, str]) -> list[str]:
        """Take over what an earlier process wrote, by its ``digests``; a line for every part that is not as it was.

        Of a part that was joined to others since, the joined one says what it was.
        """
        self.digests = dict(digests)
        problems = []
        made_of: dict[str, tuple[TablePart, str]] = {}
        for part in parts_of(self.folder):
            with suppress(AurifyError):  # of a damaged one more is said below
                made_of |= {name: (part, was) for name, was in part.joined["parts"].items()}
        for name, digest in digests.items():
            path = self.folder / name
            if name in made_of:
                into, was = made_of[name]
                if was != digest:
                    problems.append(f"{into.path}: holds {name} otherwise than the run wrote it")
                del self.digests[name]
                if into.path.name not in self.digests:
                    self.digests[into.path.name] = into.digest()
            elif not path.is_file():
                problems.append(f"{path}: missing, though the run wrote it")
            elif digest_of(path) != digest:
                problems.append(f"{path}: changed or damaged since the run wrote it")
        return problems

    def read(self) -> Iterator[Rationale]:
        """The rows on disk, in the order of steps; none where there is no folder.

        Raises:
            AurifyError: a part is damaged, naming it.
        """
        with held(self.folder) as parts:
            for part in parts:
                yield from _rationales(part)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """``read`` as Arrow tables of some columns of ``SCHEMA``, or all: ``ROWS_AT_ONCE`` rows at most in memory.

        Raises:
            AurifyError: a part is damaged, naming it.
        """
        with held(self.folder) as parts:
            for part in parts:
                yield from part.batches(columns)

    def steps(self) -> list[int]:
        """The steps that have a part on disk, in order; of parts that were joined the last one."""
        return [part.last for part in parts_of(self.folder)]

    def read_step(self, step: int) -> list[Rationale]:
        """The rows of the part of a step that was not joined to others.

        Raises:
            AurifyError: the part is damaged, or not there.
        """
        return list(_rationales(TablePart(step, step, self.folder / f"step-{step:08d}.parquet")))


def _rationales(part: TablePart) -> Iterator[Rationale]:
    for table in part.batches():
        for batch in table.to_batches(max_chunksize=1024):
            try:
                yield from from_rows(batch.to_pylist())
            except Exception as error:  # a damaged file makes Arrow raise anything
                raise damaged(part.path, error) from None
