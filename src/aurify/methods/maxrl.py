"""MaxRL: the truncated series of the log-likelihood, with the group's mean as a baseline.

    (1/Q) sum_q sum_k w_k s(z_k),     w_k = (c_k - m) / (K m),     m = (1/K) sum_k c_k; 0 where m = 0

where s = grad log p(z | x) and c_k tells whether z_k is right. With n = K m right draws w_k = c_k / n - 1 / K, that is
rejection sampling, less the mean score of the draws. That mean is 0 in expectation, but it is left out of groups
without a right draw, which happen with probability (1 - pi)^K and whose mean score is that of wrong draws. So the
expectation of one question is one order of the series lower than rejection sampling's:

    (1 - (1 - pi)^(K-1)) grad log pi  =  grad J_{K-1},     J_N = - sum_{k=1}^N (1 - pi)^k / k

and with the weight -1/K for every draw of such a dead group (``--dead unlearn``) it is grad J_K itself. Weight on
grad pi: (1 - (1 - pi)^(K-1)) / pi, or with K in the exponent.

Source: "Maximum Likelihood Reinforcement Learning", 2026 (arXiv 2602.02710).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


def maxrl_weights(right_QS: Bools, *, unlearn_dead: bool = False) -> Floats:
    """c_k / n - 1 / K for every draw of a question with n right ones [Q, S]; without any, 0 or (unlearned) -1 / K."""
    samples = right_QS.shape[1]
    right_Q1 = right_QS.sum(axis=1, keepdims=True)
    weights_QS: Floats = right_QS / np.maximum(right_Q1, 1) - ((right_Q1 > 0) | unlearn_dead) / samples
    return weights_QS


@dataclass(frozen=True)
class MaxRL(Method):
    """MaxRL: the log-likelihood's series up to order K - 1, from K samples a question, at least 2."""

    samples: int = 8
    dead: Literal["skip", "unlearn"] = setting(
        "skip", "Groups without a right sample: skip them, or unlearn them (then the series goes up to order K)."
    )

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise UsageError(
                f"maxrl compares a question's samples with each other, so {self.samples} is too few: "
                "give --samples 2 or more"
            )

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Weigh every draw by who else is right (see ``methods.base.Method``)."""
        weigh = partial(maxrl_weights, unlearn_dead=self.dead == "unlearn")
        return on_policy_step(weigh, key, step, chains, proposals)
