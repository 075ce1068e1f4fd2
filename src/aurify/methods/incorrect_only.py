"""Incorrect-only: the gradient of the marginal likelihood from wrong rationales alone.

The score s = grad log p(z | x) has mean 0, so what right rationales say the wrong ones say too, with the sign turned:

    pi E[s | right] + (1 - pi) E[s | wrong] = 0,     grad log pi = E[s | right] = - ((1 - pi) / pi) E[s | wrong]

The odds (1 - pi) / pi need no estimate of pi: draw until one is right, and the number of wrong draws before it has
that mean, while each of them is an exact sample of p(z | x, wrong). So "-1 for every wrong draw before the first
right one" is unbiased. Stopped after K draws, and averaged over the order in which these came, it is

    - (1/Q) sum_q (1 / (n_q + 1)) sum_k (1 - c_k) s(z_k),     n_q = sum_k c_k

where c_k tells whether z_k is right. The expectation of one question is (1 - (1 - pi)^K) grad log pi, without further
condition: that of rejection sampling, the truncated series J_K, and so its weight on grad pi, (1 - (1 - pi)^K) / pi.
It is the full gradient up to the share of questions that fail K times.

Good only where accuracy is high: the absolute weight of a question has the odds as its mean, up to K, and a question
that fails K times pushes all its draws down at weight 1 while no term says what to do instead. It is here for
comparison, not as a default.

Source: the identity is discussed by Phan, Hoffman et al. 2023 (arXiv 2312.02179). Counting failures up to a success
is inverse binomial sampling (Haldane 1945); joining the two is aurify's, since the paper's own form was not at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aurify.methods.base import EStep, Method
from aurify.methods.on_policy import on_policy_step
from aurify.methods.terms import Bools, Floats
from aurify.rationales import Chain, Rationale


def incorrect_only_weights(right_QS: Bools) -> Floats:
    """-1 / (n + 1) for every wrong draw of a question with n right ones, 0 for these [Q, S]."""
    weights_QS: Floats = (right_QS - 1.0) / (right_QS.sum(axis=1, keepdims=True) + 1)
    return weights_QS


@dataclass(frozen=True)
class IncorrectOnly(Method):
    """Incorrect-only: the gradient of the marginal likelihood from wrong rationales alone."""

    samples: int = 4

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Unlearn the wrong draws (see ``methods.base.Method``)."""
        return on_policy_step(incorrect_only_weights, key, step, chains, proposals)
