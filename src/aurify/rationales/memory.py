"""The memory: for every question the rationale on which its chain now stands. The state of the MCMC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from aurify.rationales.chain_columns import CHAIN_FIELDS, ChainColumns
from aurify.rationales.record import Rationale
from aurify.rationales.table import from_rows, to_table


@dataclass(frozen=True)
class Chain:
    """One question's chain. ``rationale`` is None while the memory is empty, and may be wrong at the start."""

    question_id: str
    rationale: Rationale | None = None
    since: int = 0
    """The step at which the rationale came into the memory."""
    visits: int = 0
    """E-steps on this question."""
    drawn: int = 0
    """Whole proposals drawn in them."""
    accepted: int = 0
    """How many of these were right: over ``drawn``, an estimate of p(y | x)."""
    others: int = 0
    """Visits at which it was proposed anything else: new ends of its rationale, or hinted ones."""
    others_taken: int = 0
    """At how many of these it took one."""

    @property
    def right(self) -> bool:
        """Whether the chain is valid: its rationale ends in the right answer."""
        return self.rationale is not None and self.rationale.right

    def started(self, rationale: Rationale | None, step: int) -> Chain:
        """The chain with its first rationale."""
        return replace(self, rationale=rationale, since=step)

    def visited(self, proposals: Sequence[Rationale], accepted: Rationale | None, step: int) -> Chain:
        """The chain after an E-step that accepted one of its proposals, or none."""
        other = any(proposal.move in ("suffix", "guide") for proposal in proposals)  # which tell nothing of p(y | x)
        taken = accepted is not None
        return Chain(
            self.question_id,
            accepted if taken else self.rationale,
            step if taken else self.since,
            self.visits + 1,
            self.drawn if other else self.drawn + len(proposals),
            self.accepted if other else self.accepted + sum(proposal.right for proposal in proposals),
            self.others + other,
            self.others_taken + (other and taken),
        )


class Memory:
    """Chains by question id; a question that was never visited has an empty one.

    Chains that were read, or have been written, lie in columns, which take a fraction of the room of records; a record
    is made of one that is asked for.
    """

    def __init__(self, chains: Iterable[Chain] = ()) -> None:
        self._columns = ChainColumns.empty()
        self._records = {chain.question_id: chain for chain in chains}
        """Those that are not in the columns, or differ there."""

    def __len__(self) -> int:
        return len(self._records.keys() | self._columns.rows.keys())

    def __contains__(self, question_id: str) -> bool:
        return question_id in self._records or question_id in self._columns.rows

    def __getitem__(self, question_id: str) -> Chain:
        if question_id in self._records:
            return self._records[question_id]
        row = self._columns.rows.get(question_id)
        return Chain(question_id) if row is None else _chain(self._columns.row(row))

    def update(self, chains: Iterable[Chain]) -> None:
        """Put the chains in the place of their former states."""
        self._records.update((chain.question_id, chain) for chain in chains)

    def chains(self) -> list[Chain]:
        """All chains, ordered by question id."""
        found = {row["question_id"]: row for row in self._columns.every() if row["question_id"] not in self._records}
        every = {**{key: _chain(row) for key, row in found.items()}, **self._records}
        return [every[key] for key in sorted(every)]

    def to_parquet(self) -> bytes:
        """One row a chain: a rationale table's columns (null where the memory is empty), and the chain's own."""
        records = [self._records[key] for key in sorted(self._records)]
        self._columns = self._columns.changed(_table(records))
        self._records = {}
        return self._columns.to_parquet()

    @classmethod
    def from_parquet(cls, content: bytes) -> Memory:
        """Read what ``to_parquet`` gave.

        Raises:
            AurifyError: it is damaged.
        """
        made = cls()
        made._columns = ChainColumns.from_parquet(content)
        return made


def _table(chains: Sequence[Chain]) -> pa.Table:
    """The chains in columns."""
    held = [chain for chain in chains if chain.rationale is not None]
    empty = [chain for chain in chains if chain.rationale is None]
    rationales = to_table([chain.rationale for chain in held if chain.rationale is not None])
    blank = pa.table({"question_id": pa.array([chain.question_id for chain in empty], pa.string())})
    table = pa.concat_tables([rationales, blank], promote_options="default")
    for name in CHAIN_FIELDS:
        table = table.append_column(f"chain_{name}", pa.array([getattr(c, name) for c in held + empty], pa.int64()))
    return table


def _chain(row: dict[str, Any]) -> Chain:
    own = {name: row.pop(f"chain_{name}") for name in CHAIN_FIELDS}
    return Chain(row["question_id"], None if row["text"] is None else from_rows([row])[0], **own)
