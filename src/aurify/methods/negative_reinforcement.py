"""Negative reinforcement: unlearn wrong samples, and learn right ones with a small weight or not at all.

    (1/Q) sum_q (1/K) sum_k (lambda c_k - (1 - c_k)) s(z_k)

where s = grad log p(z | x) and c_k tells whether z_k is right. Since E[s] = 0, E[(1 - c) s] = - grad pi, and the
expectation of one question is

    (1 + lambda) grad pi

for every lambda: the direction of RLOO, whose weight on grad pi is 1. So unlearning alone (lambda = 0) and learning
alone ascend the same quantity, and differ in variance, and in what the optimiser makes of many steps: a wrong sample's
probability goes back to the others in proportion to what they have, so that the spread of right ones stays.

Source: Zhu et al., "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning", 2025 (arXiv 2506.01347):
W-REINFORCE, lambda = 0.1; NSR, lambda = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


def negative_reinforcement_weights(right_QS: Bools, *, right_weight: float) -> Floats:
    """lambda / K for every right draw and -1 / K for every wrong one [Q, S]."""
    weights_QS: Floats = np.where(right_QS, right_weight, -1.0) / right_QS.shape[1]
    return weights_QS


@dataclass(frozen=True)
class NegativeReinforcement(Method):
    """Negative reinforcement: unlearn wrong samples, and learn right ones with a small weight or not at all."""

    samples: int = 8
    right_weight: float = setting(0.1, "The weight of right samples (lambda); 0: learn from wrong ones alone.", ge=0)

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Weigh the right draws lightly and the wrong ones fully (see ``methods.base.Method``)."""
        weigh = partial(negative_reinforcement_weights, right_weight=self.right_weight)
        return on_policy_step(weigh, key, step, chains, proposals)
