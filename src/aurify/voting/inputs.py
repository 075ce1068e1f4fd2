"""What the fast ranker reads of pools, computed once: features, and hashed words where they are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.voting.features import ALONE_COLUMNS, POOL_COLUMNS, alone_features, pool_features
from aurify.voting.pool import CandidatePool
from aurify.voting.text_model import words_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Inputs:
    """Pools with the features of their candidates, X candidates in all."""

    pools: tuple[CandidatePool, ...]
    features_XF: Floats
    words: Any = None
    """Hashed words, a sparse row a candidate; None: left out."""

    @classmethod
    def of(cls, pools: Sequence[CandidatePool], *, alone: bool, words: bool) -> Inputs:
        """Read the pools; ``alone`` leaves out what depends on a candidate's rivals."""
        read = alone_features if alone else pool_features
        empty = np.zeros((0, len(ALONE_COLUMNS if alone else POOL_COLUMNS)))
        features_XF = np.concatenate([empty, *(read(pool) for pool in pools)])
        return cls(tuple(pools), features_XF, words_of(pools) if words and pools else None)

    @property
    def bounds(self) -> NDArray[np.int64]:
        """Where each pool's candidates begin, and where the last one's end."""
        return np.cumsum([0, *(len(pool.candidates) for pool in self.pools)])

    @property
    def judged_X(self) -> Bools:
        """Which candidates have a verdict."""
        return np.array([c.right is not None for pool in self.pools for c in pool.candidates], dtype=bool)

    @property
    def right_X(self) -> Bools:
        """Which candidates are right; those without a verdict are not."""
        return np.array([bool(c.right) for pool in self.pools for c in pool.candidates], dtype=bool)

    def take(self, chosen: Sequence[int]) -> Inputs:
        """Of some of the pools, by their numbers."""
        bounds = self.bounds
        rows = np.concatenate([np.zeros(0, int), *(np.arange(bounds[i], bounds[i + 1]) for i in chosen)])
        words = None if self.words is None else self.words[rows]
        return Inputs(tuple(self.pools[i] for i in chosen), self.features_XF[rows], words)

    def columns(self, chosen: Sequence[int]) -> Inputs:
        """With some of the features alone, by their numbers."""
        return replace(self, features_XF=self.features_XF[:, list(chosen)])

    def split(self, values_X: Floats) -> list[Floats]:
        """Values of all candidates, an array a pool."""
        return np.split(values_X, self.bounds[1:-1]) if self.pools else []
