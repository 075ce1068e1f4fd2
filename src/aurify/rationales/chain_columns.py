"""Chains in the columns of an Arrow table: what a checkpoint holds of them, and what stands in memory between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError
from aurify.rationales.schema import NEVER_NULL, SCHEMA
from aurify.text import first_line

CHAIN_FIELDS: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("since", "visits", "drawn", "accepted", "others", "others_taken"), pa.int64()),
    "lately": pa.float64(),
}
"""The fields of a chain beside its question and its rationale."""

_LONG = {pa.string(): pa.large_string(), pa.list_(pa.int32()): pa.large_list(pa.int32())}
"""What holds texts of more than 2 GiB together."""
_AT_ONCE = 4096
"""Rows that become records together."""


@dataclass(frozen=True)
class ChainColumns:
    """Chains, a row each, those with a rationale first, each of the two kinds in the order of their questions' ids."""

    table: pa.Table
    rows: Mapping[str, int]
    """The row of each question, by its id."""

    @classmethod
    def empty(cls) -> ChainColumns:
        """No chains."""
        return cls.of(_schema().empty_table())

    @classmethod
    def of(cls, table: pa.Table) -> ChainColumns:
        """These rows, in this order."""
        return cls(table, {key: row for row, key in enumerate(table["question_id"].to_pylist())})

    @classmethod
    def from_parquet(cls, content: bytes) -> ChainColumns:
        """Read what ``to_parquet`` gave.

        Raises:
            AurifyError: it is damaged.
        """
        try:
            table = pq.read_table(pa.BufferReader(content)).select(_schema().names).cast(_schema())
            table.validate(full=True)
            _check(table)
        except Exception as error:  # a damaged file makes Arrow raise anything
            raise AurifyError(f"not a memory that can be read: {first_line(error)}") from error
        return cls.of(table)

    def to_parquet(self) -> bytes:
        """The rows as a file."""
        sink = pa.BufferOutputStream()
        pq.write_table(self.table, sink)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    def changed(self, table: pa.Table) -> ChainColumns:
        """These chains with others, of any order, in the place of those of the same questions."""
        if not len(table):
            return self
        table = table.select(_schema().names).cast(_schema())
        kept = self.table.filter(pc.invert(pc.is_in(self.table["question_id"], value_set=table["question_id"])))
        whole = pa.concat_tables([kept, table])
        order = pa.table({"blank": pc.is_null(whole["text"]), "id": whole["question_id"]})
        keys = [("blank", "ascending"), ("id", "ascending")]
        return ChainColumns.of(whole.take(pc.sort_indices(order, sort_keys=keys)))

    def row(self, row: int) -> dict[str, Any]:
        """A chain's values by column."""
        found: dict[str, Any] = self.table.slice(row, 1).to_pylist()[0]
        return found

    def every(self) -> Iterator[dict[str, Any]]:
        """All chains' values by column."""
        for batch in self.table.to_batches(max_chunksize=_AT_ONCE):
            yield from batch.to_pylist()


def _schema() -> pa.Schema:
    fields = [pa.field(field.name, _LONG.get(field.type, field.type)) for field in SCHEMA]
    return pa.schema([*fields, *(pa.field(f"chain_{name}", kind) for name, kind in CHAIN_FIELDS.items())])


def _check(table: pa.Table) -> None:
    """Refuse rows of which no chain can be made.

    Raises:
        ValueError: there is one.
    """
    if any(table[name].null_count for name in ("question_id", *(f"chain_{name}" for name in CHAIN_FIELDS))):
        raise ValueError("a chain without a question or a count")
    if pc.count_distinct(table["question_id"]).as_py() != len(table):
        raise ValueError("two chains of a question")
    held = table.filter(pc.is_valid(table["text"]))
    for name in NEVER_NULL:
        if held[name].null_count:
            raise ValueError(f"a rationale without {name}")
    if set(pc.unique(held["verdict"]).to_pylist()) - {None, *(str(verdict.value) for verdict in Verdict)}:
        raise ValueError("a verdict that there is not")
    if pc.any(pc.is_null(pc.list_flatten(held["token_ids"]))).as_py():
        raise ValueError("a token that is none")
