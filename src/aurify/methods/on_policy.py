"""The E-step of the methods that learn from fresh draws alone: a weight for each draw, by who was right.

These methods need no memory. The chains step all the same, as TRICE's do, so that the memory holds the latest right
rationale of every question and another method can go on from it.

Source: docs/methods.md, "Rivals"; each method's own file names its paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aurify.methods.base import EStep
from aurify.methods.terms import Bools, Floats, advanced, diagnostics, group_shares, merged_terms, right_or_wrong, there
from aurify.methods.trice import next_state
from aurify.rationales import Chain, Rationale


def on_policy_step(
    weigh: Callable[[Bools], Floats],
    key: int,
    step: int,
    chains: Sequence[Chain],
    proposals: Sequence[Sequence[Rationale]],
    *,
    least: int = 1,
) -> EStep:
    """One E-step (see ``methods.base.Method``) whose weights are the mean over questions of ``weigh(right_QS)``.

    Args:
        weigh: from whether each draw is right [Q, S] to the weight of its score in its own question's estimate [Q, S].
        least: the draws of a question that it takes to weigh any; questions with fewer, as others were left out, get 0.
    """
    right_QS = right_or_wrong(chains, proposals)
    there_QS, proposals_QS, memory_Q = there(proposals), np.zeros(right_QS.shape), np.zeros(len(chains))
    sizes_Q = there_QS.sum(axis=1)
    for size in np.unique(sizes_Q):  # one, unless samples were left out
        if size >= least:
            proposals_QS[sizes_Q == size, :size] = weigh(right_QS[sizes_Q == size, :size]) / len(chains)
    chosen_Q = next_state(right_QS, np.random.default_rng(key).random(len(chains)))
    after = advanced(chains, proposals, chosen_Q, step)
    terms = merged_terms(chains, proposals, memory_Q, proposals_QS)
    info = diagnostics(right_QS, there_QS, memory_Q, proposals_QS, after, step)
    return EStep(after, terms, {**info, **group_shares(right_QS, there_QS)})
