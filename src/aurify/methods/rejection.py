"""Rejection sampling: learn from the right ones of K draws.

    (1/Q) sum_q (1/n_q) sum_k c_k s(z_k),     n_q = sum_k c_k; a question without a right draw gives nothing

where s = grad log p(z | x) and c_k tells whether z_k is right. The right draws are exact samples of p(z | x, y), so
with pi = P(right | x) the expectation of one question is P(n > 0) times the gradient of its marginal likelihood:

    (1 - (1 - pi)^K) grad log pi  =  grad J_K,     J_K = - sum_{k=1}^K (1 - pi)^k / k

J_K is the series of log pi, cut after K terms: K = 1 is the success probability itself, K = infinity TRICE's
objective. Weight on grad pi: (1 - (1 - pi)^K) / pi. What is missing is the questions that fail K times; TRICE's
memory is there for them.

The mean is over all questions of the batch. Over those with a right draw only, the step would be larger where more
questions fail, and its expectation the gradient of nothing simple.

Left out: RAFT's ranking of the draws by a reward model (c is the reward here), and fitting to convergence on a fixed
set of draws, which is ReST-EM's.

Source: the baseline of Phan, Hoffman et al. 2023 (arXiv 2312.02179); Dong et al., "RAFT", 2023 (arXiv 2304.06767).
The series is also the subject of "Maximum Likelihood Reinforcement Learning", 2026 (arXiv 2602.02710).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale


def rejection_weights(right_QS: Bools) -> Floats:
    """c_k / n for every draw [Q, S]; 0 where no draw of the question is right."""
    weights_QS: Floats = right_QS / np.maximum(right_QS.sum(axis=1, keepdims=True), 1)
    return weights_QS


@dataclass(frozen=True)
class RejectionSampling(Method):
    """Rejection sampling: learn from the right ones of K draws a question."""

    samples: int = 4

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn from the right draws, equally within a question (see ``methods.base.Method``)."""
        return on_policy_step(rejection_weights, key, step, chains, proposals)
