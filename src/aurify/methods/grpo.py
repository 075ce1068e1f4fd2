"""GRPO: rewards standardised within the group of a question's samples.

    (1/Q) sum_q (1/K) sum_k A_k s(z_k),     A_k = (c_k - mean) / std, over the K rewards of the question

where s = grad log p(z | x) and the reward c_k is 1 where z_k is right. With a share m of right draws std is
sqrt(m (1 - m)), and the expectation of one question is

    E[sqrt(m (1 - m))] / (pi (1 - pi)) grad pi,     K m ~ Binomial(K, pi)

which tends to grad pi / sqrt(pi (1 - pi)) in large groups, the gradient of 2 arcsin(sqrt(pi)). Weight on grad pi:
1 / sqrt(pi (1 - pi)) in that limit, where RLOO's is 1 and TRICE's 1 / pi; for K = 2 and K = 3 it is constant, so that
GRPO is plain expected accuracy there. A group without spread gives nothing. Rewards of 0 and 1 have a spread of 0 or
at least sqrt(K - 1) / K, so the usual small number in the denominator is not needed.

Left out: the clipped ratio to the model that drew the samples, since they are learned from once, while it is still
the model (the ratio is 1); the divergence from a reference model; and the division of each sequence's
log-probability by its length, since a rationale is scored as one sequence throughout aurify.

Source: Shao et al., "DeepSeekMath", 2024 (arXiv 2402.03300), outcome supervision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale


def grpo_weights(right_QS: Bools) -> Floats:
    """(c_k - mean) / std / K for every draw [Q, S]; std is the population's. 0 in groups without spread."""
    mean_Q1 = right_QS.mean(axis=1, keepdims=True)
    std_Q1 = np.sqrt(mean_Q1 * (1 - mean_Q1))
    advantage_QS: Floats = np.divide(right_QS - mean_Q1, std_Q1, out=np.zeros(right_QS.shape), where=std_Q1 > 0)
    weights_QS: Floats = advantage_QS / right_QS.shape[1]
    return weights_QS


@dataclass(frozen=True)
class GRPO(Method):
    """GRPO: rewards standardised within the group of a question's samples, at least 2."""

    samples: int = 8

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise UsageError(
                f"grpo compares a question's samples with each other, so {self.samples} is too few: "
                "give --samples 2 or more"
            )

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Weigh every draw by its standardised reward (see ``methods.base.Method``)."""
        return on_policy_step(grpo_weights, key, step, chains, proposals)
