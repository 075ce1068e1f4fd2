"""RLOO: REINFORCE with the other samples of the same question as the baseline.

    (1/Q) sum_q (1/K) sum_k (c_k - mean_{j != k} c_j) s(z_k)

where s = grad log p(z | x) and the reward c_k is 1 where z_k is right. The baseline does not depend on z_k, and
E[s] = 0, so the expectation of one question is exactly grad pi, pi = P(right | x): the objective is the expected
accuracy, the sum of pi. Weight on grad pi: 1, where TRICE's is 1 / pi. A question whose draws are all right, or all
wrong, gives nothing.

Left out: the penalty on the divergence from a reference model, which the paper subtracts from the reward.

Source: Ahmadian et al., "Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in
LLMs", 2024 (arXiv 2402.14740).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale


def rloo_weights(right_QS: Bools) -> Floats:
    """(c_k - mean of the other c_j) / K for every draw [Q, S]; S at least 2."""
    samples = right_QS.shape[1]
    if samples < 2:
        raise ValueError("RLOO wants at least 2 proposals a question: each is compared with the others")
    others_QS = (right_QS.sum(axis=1, keepdims=True) - right_QS) / (samples - 1)
    weights_QS: Floats = (right_QS - others_QS) / samples
    return weights_QS


@dataclass(frozen=True)
class RLOO(Method):
    """RLOO: REINFORCE with the other samples of the same question as the baseline; at least 2 samples."""

    samples: int = 4

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise UsageError(
                f"rloo compares a question's samples with each other, so {self.samples} is too few: "
                "give --samples 2 or more"
            )

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Weigh every draw by its advantage over the others (see ``methods.base.Method``)."""
        return on_policy_step(rloo_weights, key, step, chains, proposals, least=2)
