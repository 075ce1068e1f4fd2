"""Small parts of a table become larger ones, so that a long run leaves hundreds of files and not tens of thousands.

The rule: ``JOINED`` parts of one level, one behind the other, become one part of the next level, as long as it has at
most ``MOST_ROWS`` rows. So a row is written again once a level, which is as often as the number of its part's rows has
digits, and never again in a part that has grown up. Parts of steps to which the run might go back are left alone.

A killed process loses nothing: a joined part has its name only when it is whole and on the disk, and then counts in the
place of those that it was made of (see ``parts``), which are removed afterwards, now or by the next flush.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aurify.errors import AurifyError
from aurify.files import atomic_writer
from aurify.rationales.parts import JOINED_KEY, ROWS_AT_ONCE, TablePart, parts_of, remove_joined
from aurify.rationales.schema import SCHEMA

JOINED = 10
"""How many parts become one."""
MOST_ROWS = 1_000_000
"""Rows that a joined part has at most."""


def join_table_parts(folder: Path, settled: int, digests: Mapping[str, str]) -> dict[str, str]:
    """Join what the rule says, of parts of steps up to ``settled``; the hashes of the parts that then count, by name.

    Parts among which one is damaged stay as they are.

    Args:
        digests: the hashes of the parts that count now, by name.
    """
    known, again = dict(digests), True
    while again:
        again = False
        for run in _runs([part for part in parts_of(folder) if part.last <= settled]):
            with suppress(AurifyError):
                if sum(part.rows for part in run) > MOST_ROWS:
                    continue
                joined, again = _join(run, known), True
                for part in run:
                    known.pop(part.path.name, None)
                known[joined.path.name] = joined.digest()
    remove_joined(folder)
    return known


def _runs(parts: Sequence[TablePart]) -> Iterator[list[TablePart]]:
    """Those of one level that stand behind each other, as many as become one."""
    for level, row in groupby(parts, _level):
        same = list(row)
        if level is not None:
            yield from (same[start : start + JOINED] for start in range(0, len(same) - JOINED + 1, JOINED))


def _level(part: TablePart) -> int | None:
    """How often its rows were joined; None where that cannot be read."""
    try:
        return int(part.joined["level"])
    except AurifyError:
        return None


def _join(run: Sequence[TablePart], digests: Mapping[str, str]) -> TablePart:
    """One part of several, which stay.

    Raises:
        AurifyError: one of them is not as it was written.
    """
    made_of = {name: digest for part in run for name, digest in part.joined["parts"].items()}
    for part in run:
        made_of[part.path.name] = found = part.digest()
        if digests.get(part.path.name, found) != found:
            raise AurifyError(f"{part.path}: changed or damaged since the run wrote it")
    told = json.dumps({"level": 1 + run[0].joined["level"], "parts": made_of}).encode()
    schema = SCHEMA.with_metadata({**(SCHEMA.metadata or {}), JOINED_KEY: told})
    first, last = run[0].first, run[-1].last
    path = run[0].path.with_name(f"step-{first:08d}-{last:08d}.parquet")
    with atomic_writer(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in _by_size(batch for part in run for batch in part.batches()):
            writer.write_table(table.cast(schema), row_group_size=ROWS_AT_ONCE)
    return TablePart(first, last, path)


def _by_size(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, about ``ROWS_AT_ONCE`` together."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= ROWS_AT_ONCE:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)
