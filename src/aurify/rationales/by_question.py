"""A table of any size, question by question: as many whole questions at a time as memory holds.

A run visits its questions again and again, so that the rows of one lie all over its table. Here they are laid out anew,
in temporary files of whole questions, each read at once: the memory that it takes does not grow with the rows.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aurify.rationales.record import Rationale
from aurify.rationales.schema import SCHEMA, from_rows
from aurify.rationales.table import RationaleTable

ROWS_TOGETHER = 20_000
"""Rows that are records at a time, or those of one question where it has more."""
MOST_FILES = 256
"""Files that are written at once; a process may have 1,024 open."""


def whole_questions(
    table: RationaleTable, key: Callable[[str], str | None], order: Iterable[str] = (), *, aided: bool = False
) -> Iterator[list[Rationale]]:
    """The rows by whole questions, some questions at a time, each question's rows in the order of the table.

    Args:
        key: what a question is called, by the ``question_id`` of a row; rows of None are left out.
        order: in which questions are wanted, by what they are called; those that it lacks follow as they come.
        aided: also rows that something told the answer (see ``Rationale.unaided``).

    Raises:
        AurifyError: a part is damaged.
    """
    counts = Counter[str]()
    names: dict[str, str | None] = {}
    wanted = (lambda batch: batch) if aided else only_unaided
    for batch in map(wanted, table.batches(["question_id", "source", "cut"])):
        for name, count in Counter(batch["question_id"].to_pylist()).items():
            if name not in names:
                names[name] = key(name)
            if (known := names[name]) is not None:
                counts[known] += count
    if counts.total() <= ROWS_TOGETHER:
        yield [row for row in table.read() if (aided or row.unaided) and names[row.question_id] is not None]
        return
    piece_of = _pieces(counts, [*(name for name in order if name in counts), *counts])
    with tempfile.TemporaryDirectory(prefix="aurify-") as folder:
        by_name = {name: piece_of.get(known or "", -1) for name, known in names.items()}
        for rows in _in_pieces(map(wanted, table.batches()), by_name, Path(folder)):
            yield from_rows(row for batch in rows.to_batches(max_chunksize=1024) for row in batch.to_pylist())


def _pieces(counts: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """For each question the number of the piece that it is in, with as many before it as there is room for."""
    found: dict[str, int] = {}
    piece = rows = 0
    for name in names:
        if name in found:
            continue
        if rows and rows + counts[name] > ROWS_TOGETHER:
            piece, rows = piece + 1, 0
        found[name], rows = piece, rows + counts[name]
    return found


def _in_pieces(batches: Iterable[pa.Table], piece_of: Mapping[str, int], folder: Path) -> Iterator[pa.Table]:
    """The rows of each piece; where there are more pieces than files may be open, some together first, then each."""
    together = -(-(1 + max(piece_of.values())) // MOST_FILES)
    paths = _laid_out(batches, {name: piece // together for name, piece in piece_of.items()}, folder)
    within: list[dict[str, int]] = [{} for _ in paths]
    for name, piece in piece_of.items() if together > 1 else ():
        if piece >= 0:
            within[piece // together][name] = piece % together
    for path, inner in zip(paths, within, strict=True):
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
            if together == 1:
                yield reader.read_all()
            else:
                (sub := path.with_suffix("")).mkdir()
                yield from _in_pieces((pa.Table.from_batches([batch]) for batch in reader), inner, sub)
        path.unlink()


def _laid_out(batches: Iterable[pa.Table], piece_of: Mapping[str, int], folder: Path) -> list[Path]:
    """A file of each piece's rows."""
    paths = [folder / f"{piece}.arrow" for piece in range(1 + max(piece_of.values()))]
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        writers: dict[int, Any] = {}
        for batch in batches:
            pieces = np.array([piece_of[name] for name in batch["question_id"].to_pylist()])
            order = np.argsort(pieces, kind="stable")
            sorted_rows, sorted_pieces = batch.take(pa.array(order)), pieces[order]
            starts = np.flatnonzero(np.diff(sorted_pieces, prepend=-2))
            for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
                if (piece := int(sorted_pieces[start])) < 0:
                    continue
                if piece not in writers:
                    file = stack.enter_context(pa.OSFile(str(paths[piece]), "wb"))
                    writers[piece] = stack.enter_context(pa.ipc.new_stream(file, SCHEMA, options=options))
                writers[piece].write_table(sorted_rows.slice(start, end - start))
    return paths


def tell_aided(name: str, hinted: int, ends: int, say: Callable[[str], None]) -> None:
    """Say how many rows of a file or folder something told the answer, and what."""
    if hinted:
        say(f"{name}: {hinted} rationales were drawn with the answer in the prompt; left out")
    if ends:
        say(f"{name}: {ends} rationales are new ends of right ones; left out")


def only_unaided(batch: pa.Table) -> pa.Table:
    """The rows that nothing told the answer (see ``Rationale.unaided``), of columns that say so."""
    return batch.filter(pc.and_(pc.not_equal(batch["source"], "guide"), pc.equal(batch["cut"], 0)))
