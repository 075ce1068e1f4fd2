"""What a pool of samples says of a question: pass@k and maj@k, as pure functions of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aurify.voting.votes import credit, vote

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_GROUP = -1
"""The group of a sample whose answer could not be read."""


def sizes(samples: int) -> list[int]:
    """The k for which a pool of that many samples is reported: the powers of two up to it, and it itself."""
    return sorted({*(2**power for power in range(samples.bit_length())), samples}) if samples else []


def pass_at_k(n: int, right_Q: Ints, k: int) -> Floats:
    """The unbiased estimate, for every question, that at least one of k samples is right.

    Of n samples ``right_Q`` are right; the estimate is the share of their subsets of size k that hold a right one:

        1 - C(n - right, k) / C(n, k)

    Source: M. Chen et al. (2021), Evaluating large language models trained on code, arXiv:2107.03374, equation 1.

    Raises:
        ValueError: k is not in 1..n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} of {n} samples")
    drawn = np.arange(n)
    missed = np.cumprod(np.maximum(n - k - drawn, 0) / (n - drawn))  # C(n - right, k) / C(n, k), right = 1..n
    return np.concatenate([[0.0], 1 - missed])[right_Q]


def majority(groups_S: Ints, right_S: Bools) -> float:
    """The credit of the answer with most votes: 1 or 0, and where several lead, the share of them that is right.

    Args:
        groups_S: the samples' groups of equivalent answers; ``NO_GROUP`` has no vote.
        right_S: the samples' verdicts. A group is as right as its first member.

    Returns:
        0 where nobody votes.
    """
    groups = [None if group == NO_GROUP else group for group in groups_S.tolist()]
    right: dict[int, bool] = {}
    for group, verdict in zip(groups, right_S.tolist(), strict=True):
        if group is not None:
            right.setdefault(group, verdict)
    return credit(vote(groups), [right.get(group) for group in range(1 + max(right, default=-1))])


def majority_at_k(groups_QS: Ints, right_QS: Bools, k: int) -> Floats:
    """maj@k of every question: the mean credit of the majority among k samples, over runs of k in the pool.

    The pool of S samples is cut into S // k runs that share no sample, in the order in which they were drawn, so the
    mean is unbiased; what is left over is not used. With k = S there is one run, and with k = 1 the mean is the
    share of right samples.

    Raises:
        ValueError: k is not in 1..S.
    """
    samples = groups_QS.shape[1]
    if not 1 <= k <= samples:
        raise ValueError(f"maj@{k} of {samples} samples")
    starts = range(0, samples - k + 1, k)
    return np.array(
        [
            sum(majority(groups_S[start : start + k], right_S[start : start + k]) for start in starts) / len(starts)
            for groups_S, right_S in zip(groups_QS, right_QS, strict=True)
        ]
    )
