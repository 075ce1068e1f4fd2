"""Pools in a temporary file, so that who goes through them, or takes some at random, holds few of their texts."""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import overload

from aurify.rationales import by_question
from aurify.voting.pool import Candidate, CandidatePool

IN_MEMORY = 2**24
"""Bytes that stay in memory, compressed; more are a file of the system's folder for such."""


class KeptPools(Sequence[CandidatePool]):
    """Pools that are read anew, and equal to those that were added, whenever they are asked for; memory holds
    eight bytes of each. Leaving the context deletes them."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, prefix="aurify-")  # noqa: SIM115  # ``__exit__`` closes it
        self._bounds = array("q", [0])

    def extend(self, pools: Iterable[CandidatePool]) -> None:
        """Add pools behind those that are there."""
        self._file.seek(self._bounds[-1])
        for pool in pools:
            row = {**vars(pool), "candidates": [vars(candidate) for candidate in pool.candidates]}
            self._bounds.append(self._bounds[-1] + self._file.write(zlib.compress(json.dumps(row).encode(), 1)))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, place: int) -> CandidatePool: ...
    @overload
    def __getitem__(self, place: slice) -> list[CandidatePool]: ...

    def __getitem__(self, place: int | slice) -> CandidatePool | list[CandidatePool]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        start, end = self._bounds[range(len(self))[place]], self._bounds[range(1, len(self) + 1)[place]]
        self._file.seek(start)
        row = json.loads(zlib.decompress(self._file.read(end - start)))
        return CandidatePool(**{**row, "candidates": tuple(Candidate(**one) for one in row["candidates"])})

    def __enter__(self) -> KeptPools:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def in_chunks(pools: Iterable[CandidatePool]) -> Iterator[list[CandidatePool]]:
    """The pools in their order, as many at a time as have ``ROWS_TOGETHER`` candidates, or one that has more."""
    some: list[CandidatePool] = []
    rows = 0
    for pool in pools:
        if some and rows + len(pool.candidates) > by_question.ROWS_TOGETHER:
            yield some
            some, rows = [], 0
        some.append(pool)
        rows += len(pool.candidates)
    if some:
        yield some
