"""ReST-EM: sample, keep the right ones, fit them from the base model; repeat.

    (1/Q) sum_q (1/n_q) sum_k c_k s(z_k),     z_k from the model theta_i at the beginning of the fit

where s = grad log p(z | x) at the weights theta of the step. With pi_i = P(right | x) under theta_i the expectation of
one question over the draws is

    (1 - (1 - pi_i)^K) E_{p_i(z | x, y)}[ s(z) ]

that is, EM's M-step for the posterior of theta_i, short of the questions that failed K times. Where theta = theta_i it
is rejection sampling's, with weight (1 - (1 - pi)^K) / pi on grad pi; in a fit theta starts from the base and walks to
the maximum, so it is EM and not stochastic ascent.

Rationales are drawn at temperature 1, as exact samples; the paper draws at 0.7 from the 40 likeliest tokens (from
memory, not checked), and its samples are those of no model that is then fitted.

Every question counts the same. The paper caps the solutions of a question at 10 instead, for the same purpose.
Left out: stopping a fit by validation accuracy; the fits are equally long.

Source: Singh et al., "Beyond Human Data: Scaling Self-Training for Problem-Solving with Language Models", 2023
(arXiv 2312.06585), Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.fitting import fit_step
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


@dataclass(frozen=True)
class RestEM(Method):
    """ReST-EM: sample K rationales a question at temperature 1, fit the right ones from the base model; repeat."""

    samples: int = 4
    refits: int = setting(3, "Fits from the base model, each on new rationales.", ge=0)

    def __post_init__(self) -> None:
        if self.refits == 0:
            raise UsageError("--refits 0: rest-em always fits from the base model; for learning online take rejection")

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn from the right draws of this fit (see ``methods.base.Method``)."""
        return fit_step(key, step, chains, proposals)
