"""What the fast ranker reads of pools, computed once: features, and hashed words where they are wanted.

The texts are let go: of a candidate stay its features, its verdict, and which of its rivals say the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.voting.features import ALONE_COLUMNS, POOL_COLUMNS, alone_features, pool_features
from aurify.voting.kept_pools import in_chunks
from aurify.voting.pool import CandidatePool
from aurify.voting.text_model import words_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Inputs:
    """P pools with the features of their candidates, X in all."""

    questions: tuple[str, ...]
    """Of each pool, as ``CandidatePool.asked``."""
    sizes_P: Ints
    """Candidates of each pool."""
    groups_X: Ints
    """Which group of equivalent answers each is of, within its pool; one without an answer is alone, below 0."""
    judged_X: Bools
    """Which candidates have a verdict."""
    right_X: Bools
    """Which candidates are right; those without a verdict are not."""
    features_XF: Floats
    words: Any = None
    """Hashed words, a sparse row a candidate; None: left out."""

    @classmethod
    def of(cls, pools: Iterable[CandidatePool], *, alone: bool, words: bool) -> Inputs:
        """Read the pools, some at a time; ``alone`` leaves out what depends on a candidate's rivals."""
        read = alone_features if alone else pool_features
        questions: list[str] = []
        sizes: list[int] = []
        groups, judged, right = array("q"), bytearray(), bytearray()
        features_XF = np.zeros((0, len(ALONE_COLUMNS if alone else POOL_COLUMNS)))
        hashed = []
        for some in in_chunks(pools):
            for pool in some:
                questions.append(pool.asked)
                sizes.append(len(pool.candidates))
                groups.extend(-1 - i if group is None else group for i, group in enumerate(pool.groups))
                judged.extend(candidate.right is not None for candidate in pool.candidates)
                right.extend(bool(candidate.right) for candidate in pool.candidates)
            new_XF = np.concatenate([read(pool) for pool in some])
            features_XF.resize((len(features_XF) + len(new_XF), new_XF.shape[1]), refcheck=False)  # where it lies
            features_XF[-len(new_XF) :] = new_XF
            if words:
                hashed.append(words_of(some))
        return cls(
            tuple(questions), np.array(sizes, np.int64), np.array(groups, np.int64), np.array(judged, np.bool_),
            np.array(right, np.bool_), features_XF, _stacked(hashed) if hashed else None,
        )  # fmt: skip

    @property
    def bounds(self) -> Ints:
        """Where each pool's candidates begin, and where the last one's end."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.sizes_P)])

    def take(self, chosen: Sequence[int]) -> Inputs:
        """Of some of the pools, by their numbers."""
        bounds = self.bounds
        rows = np.concatenate([np.zeros(0, int), *(np.arange(bounds[i], bounds[i + 1]) for i in chosen)])
        return Inputs(
            tuple(self.questions[i] for i in chosen), self.sizes_P[list(chosen)], self.groups_X[rows],
            self.judged_X[rows], self.right_X[rows], self.features_XF[rows],
            None if self.words is None else self.words[rows],
        )  # fmt: skip

    def columns(self, chosen: Sequence[int]) -> Inputs:
        """With some of the features alone, by their numbers."""
        return replace(self, features_XF=self.features_XF[:, list(chosen)])

    def split(self, values_X: NDArray[Any]) -> list[NDArray[Any]]:
        """Values of all candidates, an array a pool."""
        return np.split(values_X, self.bounds[1:-1]) if self.questions else []


def _stacked(parts: list[Any]) -> Any:
    from scipy.sparse import vstack

    return parts[0] if len(parts) == 1 else vstack(parts, format="csr")
