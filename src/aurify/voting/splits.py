"""Which questions a ranker is trained on and which it is judged on, decided by the question's text alone.

The side of a question is a hash of its letters and digits. So all samples of a question, by whichever model, in
whichever file, stand on one side; a split that leaks cannot be written down.
"""

from __future__ import annotations

from collections.abc import Sequence

from aurify.seeds import stable_seed
from aurify.voting.pool import CandidatePool


def normalised(question: str) -> str:
    """A question's letters and digits in lower case; the whole text where there are none."""
    return "".join(char for char in question.lower() if char.isalnum()) or question


def fold_of(question: str, folds: int, seed: int) -> int:
    """The fold of a question, from 0 to ``folds`` - 1."""
    return stable_seed("fold", seed, normalised(question)) % folds


def split_pools(
    pools: Sequence[CandidatePool], holdout: float, seed: int
) -> tuple[list[CandidatePool], list[CandidatePool]]:
    """(train, held out), each in the order given; about the share ``holdout`` of the questions is held out.

    Raises:
        ValueError: ``holdout`` is not in (0, 1).
    """
    if not 0 < holdout < 1:
        raise ValueError(f"holdout {holdout}: expected a fraction between 0 and 1")
    bins = 10_000
    held = [fold_of(pool.asked, bins, seed) < holdout * bins for pool in pools]
    train = [pool for pool, out in zip(pools, held, strict=True) if not out]
    return train, [pool for pool, out in zip(pools, held, strict=True) if out]
