"""The memory: for every question the rationale on which its chain now stands. The state of the MCMC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from aurify.files import Kept
from aurify.rationales.chain_columns import CHAIN_FIELDS, ChainColumns
from aurify.rationales.record import Rationale
from aurify.rationales.schema import from_rows, to_table

FADING = 0.8
"""A chain remembers some five visits: a model that learns is not what it was (``Chain.lately``)."""
_NAME = re.compile(r"memory-(\d{8,})-(\d{8,})\.parquet")


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
    lately: float = 0.0
    """At how many of its other visits a proposal was right, each visit before counting ``FADING`` of what it did."""

    @property
    def right(self) -> bool:
        """Whether the chain is valid: its rationale ends in the right answer."""
        return self.rationale is not None and self.rationale.right

    @property
    def remembered(self) -> float:
        """What ``lately`` would be had a proposal been right at every visit."""
        return (1 - FADING ** (self.visits - self.others)) / (1 - FADING)

    def started(self, rationale: Rationale | None, step: int) -> Chain:
        """The chain with its first rationale."""
        return replace(self, rationale=rationale, since=step)

    def visited(self, proposals: Sequence[Rationale], accepted: Rationale | None, step: int) -> Chain:
        """The chain after an E-step that accepted one of its proposals, or none."""
        other = any(proposal.move in ("suffix", "guide") for proposal in proposals)  # which tell nothing of p(y | x)
        taken, right = accepted is not None, any(proposal.right for proposal in proposals)
        return Chain(
            self.question_id,
            accepted if taken else self.rationale,
            step if taken else self.since,
            self.visits + 1,
            self.drawn if other else self.drawn + len(proposals),
            self.accepted if other else self.accepted + sum(proposal.right for proposal in proposals),
            self.others + other,
            self.others_taken + (other and taken),
            self.lately if other else FADING * self.lately + right,
        )


class Memory:
    """Chains by question id; a question that was never visited has an empty one.

    Chains that were saved, or read, lie in columns, which take a fraction of the room of records; a record is made of
    one that is asked for. They lie there in pieces, one behind the other: what a piece holds counts in the place of
    what those before it hold of the same questions. A save makes a piece of what changed since the last one, and joins
    it to the piece before as long as that is not twice as large. So there are as many pieces as the number of chains
    has binary digits, at most, saves cost what changed (times that number, in the mean), and all pieces together have
    less than twice the rows of the chains.
    """

    def __init__(self, chains: Iterable[Chain] = ()) -> None:
        self._pieces: list[Piece] = []
        self._records = {chain.question_id: chain for chain in chains}
        """Those that are not in the pieces, or differ there."""

    def __len__(self) -> int:
        return len(self._records.keys() | {key for piece in self._pieces for key in piece.columns.rows})

    def __contains__(self, question_id: str) -> bool:
        return question_id in self._records or any(question_id in piece.columns.rows for piece in self._pieces)

    def __getitem__(self, question_id: str) -> Chain:
        if question_id in self._records:
            return self._records[question_id]
        for piece in reversed(self._pieces):
            if (row := piece.columns.rows.get(question_id)) is not None:
                return _chain(piece.columns.row(row))
        return Chain(question_id)

    def update(self, chains: Iterable[Chain]) -> None:
        """Put the chains in the place of their former states."""
        self._records.update((chain.question_id, chain) for chain in chains)

    def chains(self) -> list[Chain]:
        """All chains, ordered by question id."""
        every = {row["question_id"]: row for piece in self._pieces for row in piece.columns.every()}
        found = {key: _chain(row) for key, row in every.items() if key not in self._records} | self._records
        return [found[key] for key in sorted(found)]

    def save(self, step: int) -> dict[str, Kept]:
        """The pieces as files by name, after what changed since the last save has become one."""
        if self._records:
            records = [self._records[key] for key in sorted(self._records)]
            self._pieces.append(Piece(step, step, ChainColumns.empty().changed(_table(records))))
            self._records = {}
        while len(self._pieces) > 1 and len(self._pieces[-2]) < 2 * len(self._pieces[-1]):
            newer, older = self._pieces.pop(), self._pieces.pop()
            self._pieces.append(Piece(older.first, newer.last, older.columns.changed(newer.columns.table)))
        return {piece.name: piece.file for piece in self._pieces}

    @classmethod
    def saved(cls, files: Mapping[str, bytes]) -> Memory:
        """Read what ``save`` gave, among whatever other files.

        Raises:
            AurifyError: a piece is damaged.
        """
        made = cls()
        made._pieces = sorted(
            (Piece(*span, ChainColumns.from_parquet(content)) for name, content in files.items()
             if (span := _span(name)) is not None),
            key=lambda piece: piece.first,
        )  # fmt: skip
        return made

    @classmethod
    def read(cls, folder: Path) -> Memory:
        """``saved`` of the files of a folder.

        Raises:
            AurifyError: a piece is damaged.
        """
        return cls.saved({file.name: file.read_bytes() for file in folder.glob("memory-*.parquet")})


class Piece:
    """Chains that were saved, after steps of a span."""

    def __init__(self, first: int, last: int, columns: ChainColumns) -> None:
        self.first, self.last, self.columns = first, last, columns
        self.file = Kept(columns.to_parquet)

    def __len__(self) -> int:
        return len(self.columns.table)

    @property
    def name(self) -> str:
        """Of its file."""
        return f"memory-{self.first:08d}-{self.last:08d}.parquet"


def _span(name: str) -> tuple[int, int] | None:
    """The steps that a file of this name is of; None where it is no piece of a memory."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def _table(chains: Sequence[Chain]) -> pa.Table:
    """The chains in columns."""
    held = [chain for chain in chains if chain.rationale is not None]
    empty = [chain for chain in chains if chain.rationale is None]
    rationales = to_table([chain.rationale for chain in held if chain.rationale is not None])
    blank = pa.table({"question_id": pa.array([chain.question_id for chain in empty], pa.string())})
    table = pa.concat_tables([rationales, blank], promote_options="default")
    for name, kind in CHAIN_FIELDS.items():
        table = table.append_column(f"chain_{name}", pa.array([getattr(c, name) for c in held + empty], kind))
    return table


def _chain(row: dict[str, Any]) -> Chain:
    own = {name: row.pop(f"chain_{name}") for name in CHAIN_FIELDS}
    return Chain(row["question_id"], None if row["text"] is None else from_rows([row])[0], **own)
