"""Guided: learn from right rationales that the model wrote with the answer in its prompt.

    uncorrected        (1/Q) sum_q (1/n_q) sum_k c_k s(z_k)                   z_k from q(z) = p(z | x, hint)
    self-normalised    (1/Q) sum_q sum_k w_k s(z_k) / sum_j w_j               w = c(z) p(z | x) / q(z)

where s = grad log p(z | x), c_k tells whether z_k is right, and n_q = sum_k c_k. Without the weights it ascends the
likelihood of what the guide writes, which need not be what the model would: a baseline. With them its expectation goes
to the gradient of log p(y | x) as K grows, with a bias of order 1/K; ``effective_draws`` says how many of the K are
left of it.

Sources: uncorrected, "posterior-guided" sampling as in arXiv 2512.20169, and STaR's rationalisation; self-normalised
importance sampling, Owen, "Monte Carlo theory, methods and examples", 9.2. A chain that corrects the guide exactly is
``trice --moves guide``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from aurify.methods.base import EStep, Method
from aurify.methods.rejection import rejection_weights
from aurify.methods.terms import Floats, advanced, diagnostics, merged_terms, right_or_wrong, there
from aurify.methods.trice import next_state
from aurify.methods.weighed import effective_sizes, log_weights
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


def self_normalised(log_weights_QS: Floats) -> Floats:
    """w_k / sum_j w_j [Q, S], from log w; 0 where no draw of the question has any weight."""
    largest_Q1 = log_weights_QS.max(axis=1, keepdims=True)
    weights_QS = np.exp(log_weights_QS - np.where(largest_Q1 > -np.inf, largest_Q1, 0.0))
    total_Q1 = weights_QS.sum(axis=1, keepdims=True)
    found_QS: Floats = np.divide(weights_QS, total_Q1, out=np.zeros_like(weights_QS), where=total_Q1 > 0)
    return found_QS


@dataclass(frozen=True)
class Guided(Method):
    """Guided: learn from right rationales that the model wrote with the answer in its prompt, weighed or not."""

    samples: int = 4
    given: ClassVar[bool] = True
    given_by: ClassVar[tuple[str, ...]] = ("guide",)
    correction: Literal["none", "self-normalised"] = setting(
        "none", "Weigh the right ones of a question equally, or by p(z | x) / p(z | x, hint) among themselves."
    )

    @property
    def corrects_guide(self) -> bool:
        """See ``methods.base.Method``."""
        return self.correction != "none"

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn from the right draws (see ``methods.base.Method``)."""
        right_QS, there_QS = right_or_wrong(chains, proposals), there(proposals)
        own_QS = rejection_weights(right_QS)
        if self.corrects_guide:
            log_QS = np.full(right_QS.shape, -np.inf)
            log_QS[there_QS] = log_weights([sample for row in proposals for sample in row])
            own_QS = self_normalised(log_QS)
        memory_Q, proposals_QS = np.zeros(len(chains)), own_QS / len(chains)
        after = advanced(chains, proposals, next_state(right_QS, np.random.default_rng(key).random(len(chains))), step)
        info = diagnostics(right_QS, there_QS, memory_Q, proposals_QS, after, step)
        some_Q = right_QS.any(axis=1)
        info["effective_draws"] = float(effective_sizes(own_QS)[some_Q].mean()) if some_Q.any() else 0.0
        return EStep(after, merged_terms(chains, proposals, memory_Q, proposals_QS), info)
