"""The memory: for every question the rationale on which its chain now stands. The state of the MCMC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq

from aurify.errors import AurifyError
from aurify.rationales.record import Rationale
from aurify.rationales.table import from_rows, to_table

_CHAIN_FIELDS = ("since", "visits", "drawn", "accepted", "others", "others_taken")
"""The fields of a chain beside its question and its rationale."""


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
    """Chains by question id; a question that was never visited has an empty one."""

    def __init__(self, chains: Iterable[Chain] = ()) -> None:
        self._chains = {chain.question_id: chain for chain in chains}

    def __len__(self) -> int:
        return len(self._chains)

    def __contains__(self, question_id: str) -> bool:
        return question_id in self._chains

    def __getitem__(self, question_id: str) -> Chain:
        found = self._chains.get(question_id)
        return Chain(question_id) if found is None else found

    def update(self, chains: Iterable[Chain]) -> None:
        """Put the chains in the place of their former states."""
        self._chains.update((chain.question_id, chain) for chain in chains)

    def chains(self) -> list[Chain]:
        """All chains, ordered by question id."""
        return [self._chains[key] for key in sorted(self._chains)]

    def to_parquet(self) -> bytes:
        """One row a chain: a rationale table's columns (null where the memory is empty), and the chain's own."""
        chains = self.chains()
        held = [chain for chain in chains if chain.rationale is not None]
        empty = [chain for chain in chains if chain.rationale is None]
        rationales = to_table([chain.rationale for chain in held if chain.rationale is not None])
        blank = pa.table({"question_id": pa.array([chain.question_id for chain in empty], pa.string())})
        table = pa.concat_tables([rationales, blank], promote_options="default")
        for name in _CHAIN_FIELDS:
            table = table.append_column(f"chain_{name}", pa.array([getattr(c, name) for c in held + empty], pa.int64()))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    @classmethod
    def from_parquet(cls, content: bytes) -> Memory:
        """Read what ``to_parquet`` gave.

        Raises:
            AurifyError: it is damaged.
        """
        chains = []
        try:
            for row in pq.read_table(pa.BufferReader(content)).to_pylist():
                row = {
                    **dict.fromkeys(("chain_others", "chain_others_taken"), 0),
                    **row,
                }  # older ones have none
                own = {name: row.pop(f"chain_{name}") for name in _CHAIN_FIELDS}
                if not isinstance(row["question_id"], str) or not all(isinstance(n, int) for n in own.values()):
                    raise ValueError("a chain without a question or a count")
                rationale = None if row["text"] is None else from_rows([row])[0]
                chains.append(Chain(row["question_id"], rationale, **own))
        except Exception as error:  # a damaged file makes Arrow raise anything
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise AurifyError(f"not a memory that can be read: {reason}") from error
        return cls(chains)
