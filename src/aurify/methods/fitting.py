"""The E-step of the methods that fit a fixed set of rationales: every right one counts, every question the same.

    (1/Q) sum_q (1/n_q) sum_k c_qk s(z_qk)

over the Q questions of a step, n_q the number of right rationales of question q; s = grad log p(z | x).

Source: docs/methods.md, "Rivals"; each method's own file names its paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aurify.methods.base import EStep
from aurify.methods.rejection import rejection_weights
from aurify.methods.terms import advanced, diagnostics, merged_terms, right_or_wrong, there
from aurify.methods.trice import next_state
from aurify.rationales import Chain, Rationale


def fit_step(key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
    """One E-step (see ``methods.base.Method``); the questions may have different numbers of proposals.

    Raises:
        ValueError: a question occurs twice.
    """
    right_QS = right_or_wrong(chains, proposals)
    weights_QS, memory_Q = rejection_weights(right_QS) / len(chains), np.zeros(len(chains))
    chosen_Q = next_state(right_QS, np.random.default_rng(key).random(len(chains)))
    after = advanced(chains, proposals, chosen_Q, step)
    info = diagnostics(right_QS, there(proposals), memory_Q, weights_QS, after, step)
    return EStep(after, merged_terms(chains, proposals, memory_Q, weights_QS), info)
