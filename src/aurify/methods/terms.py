"""What every method does with its weights: make them terms of the M-step, and say what they look like.

Source: docs/methods.md, "The gradient (M-step)".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aurify.methods.base import Term
from aurify.rationales import Chain, Rationale

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def right_or_wrong(chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> Bools:
    """c(z~), whether each proposal is right [Q, S]; False beyond a question's last one, where some have fewer.

    Raises:
        ValueError: a question occurs twice.
    """
    if len({chain.question_id for chain in chains}) != len(chains):
        raise ValueError("a question may occur once in a step's batch: its proposals would share one memory")
    right_QS = np.zeros((len(proposals), max(map(len, proposals), default=0)), dtype=bool)
    for right_S, row in zip(right_QS, proposals, strict=True):
        right_S[: len(row)] = [sample.right for sample in row]
    return right_QS


def there(proposals: Sequence[Sequence[Rationale]]) -> Bools:
    """Which places [Q, S] hold a proposal: all of them, but for questions of which samples were left out."""
    sizes_Q = np.array([len(row) for row in proposals])
    return np.arange(sizes_Q.max(initial=0))[None] < sizes_Q[:, None]


def advanced(
    chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]], chosen_Q: NDArray[np.int64], step: int
) -> list[Chain]:
    """The chains after this step: each on the proposal of its question that it takes, or where it was (-1)."""
    return [
        chain.visited(row, row[index] if index >= 0 else None, step)
        for chain, row, index in zip(chains, proposals, chosen_Q, strict=True)
    ]


def merged_terms(
    chains: Sequence[Chain],
    proposals: Sequence[Sequence[Rationale]],
    memory_Q: Floats,
    proposals_QS: Sequence[Floats] | Floats,
) -> list[Term]:
    """The non-zero terms, equal sequences of one question merged. Weights beyond a question's last proposal are 0."""
    weighed = []
    rows = [row.tolist() for row in proposals_QS]
    for chain, row, memory, row_weights in zip(chains, proposals, memory_Q.tolist(), rows, strict=True):
        weighed += [
            Term(chain.question_id, sample.token_ids, weight)
            for sample, weight in zip(row, row_weights, strict=False)
            if weight
        ]
        if chain.rationale is not None and memory:
            weighed.append(Term(chain.question_id, chain.rationale.token_ids, memory))
    return merge(weighed)


def merge(terms: Sequence[Term]) -> list[Term]:
    """Equal sequences of one question as one term, and none of weight 0."""
    merged: dict[tuple[str, tuple[int, ...]], float] = {}
    for term in terms:
        if term.weight != 0:
            key = (term.question_id, term.token_ids)
            merged[key] = merged.get(key, 0.0) + float(term.weight)
    return [Term(question_id, token_ids, weight) for (question_id, token_ids), weight in merged.items() if weight]


def group_shares(right_QS: Bools, there_QS: Bools) -> dict[str, float]:
    """The shares of questions whose proposals are all wrong and all right, of which a group's spread tells nothing.

    With one proposal a question that is what acceptance says, so there is none. ``there_QS``: which there are.
    """
    if right_QS.shape[1] < 2:
        return {}
    some_Q = there_QS.any(axis=1)
    return {
        "dead_groups": float((some_Q & ~right_QS.any(axis=1)).mean()),
        "solved_groups": float((some_Q & (right_QS == there_QS).all(axis=1)).mean()),
    }


def diagnostics(
    right_QS: Bools, there_QS: Bools, memory_Q: Floats, proposals_QS: Floats, after: Sequence[Chain], step: int
) -> dict[str, float]:
    """What a step looked like, by name.

    ``acceptance`` is the share of right proposals (TRICE's: of whole ones of the model itself; left out where a step
    has none); ``valid_chains`` that of questions with a right rationale, fresh or remembered; ``chain_age`` the mean
    number of steps since it was drawn; ``wrong_weight_share`` how much of the absolute weight lies on wrong proposals;
    ``effective_sequences`` (sum |w|)^2 / sum w^2.
    """
    absolute_QS = np.abs(proposals_QS)
    total = absolute_QS.sum() + memory_Q.sum()
    squares = (absolute_QS**2).sum() + (memory_Q**2).sum()
    ages = [step - chain.since for chain in after if chain.right]
    return {
        "acceptance": float(right_QS.sum() / max(int(there_QS.sum()), 1)),
        "valid_chains": len(ages) / len(after),
        "chain_age": float(np.mean(ages)) if ages else 0.0,
        "wrong_weight_share": float(absolute_QS[~right_QS].sum() / total) if total > 0 else 0.0,
        "effective_sequences": float(total**2 / squares) if total > 0 else 0.0,
    }
