"""TRICE with a likelihood instead of a checker: for answers that no program can check.

The checker's c(z, y) in {0, 1} becomes L(z) = p(y | x, z), the model's own probability of writing the known answer y
after the rationale z. Then log p(y | x) = log sum_z p(z | x) L(z) is the marginal likelihood itself, not a bound, and

    grad log p(y | x) = E_{p(z | x, y)}[ grad log p(z, y | x) ],     p(z | x, y) proportional to p(z | x) L(z)

Every question keeps one z, the state of an independence chain with that target whose proposal is the model itself. A
proposal is accepted with min(1, L(z~) / L(z)), both under the current weights; with K proposals z_1 .. z_K one of them
is taken with probability

    a_k = L_k / (sum_j L_j + max(0, L(z) - L_k))

which is multiple-try Metropolis for an independence chain. Given the draws, the mean over that choice is exact, so the
estimators use it in the place of the choice itself:

    basic              (1/C) sum_m [ (1 - sum_k a_mk) s(z_m, y_m) + sum_k a_mk s(z_mk, y_m) ]
    control variate    the same, less (1/C) sum_m b_m (1/K) sum_k s(z_mk)

where s(z, y) = grad log p(z, y | x) and s(z) = grad log p(z | x), C counts the valid chains (L > 0 for the memory or a
proposal), and b_m (``accept_scale``) is the mean of sum_k a_k over the *other* chains whose memory has L > 0:
independent of z_mk, so nothing is biased; a chain whose memory has L = 0 has b_m = 0. Where L is 0 or 1 and constant
all of this is ``methods.trice``, for every K.

Weight on the gradient of P(y | x): 1 / P(y | x), as TRICE's.

Left out: subsampling, and the running baseline.

Source: the chain and the control variate are those of Phan, Hoffman et al. 2023 (arXiv 2312.02179); multiple-try
Metropolis is Liu, Liang & Wong 2000 (doi 10.1080/01621459.2000.10473908). Joining them is aurify's. JEPO
(``methods.jepo``) maximises lower bounds of the same objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from aurify.methods.answered import answer_logprobs, thought_ids
from aurify.methods.base import EStep, Method, Term
from aurify.methods.moves import Moves, metropolis, taken
from aurify.methods.terms import Floats, advanced, merge
from aurify.methods.trice import VISITS_IN_TURN, leave_one_out_acceptance
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


@dataclass(frozen=True)
class TriceLikelihood(Method):
    """TRICE without a checker: the model's own probability of the known answer says how well a rationale fits.

    Its E-step is on answered rationales (``methods.answered``).
    """

    samples: int = 1
    estimator: Literal["control-variate", "basic"] = setting(
        "control-variate", "The gradient estimator: control-variate or basic."
    )
    visits: int = setting(1, VISITS_IN_TURN, ge=1)
    remembers: ClassVar[bool] = True
    scores_answers: ClassVar[bool] = True

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Move the chains, and weigh what there is (see ``methods.base.Method``)."""
        memory_Q, proposals_QS = answer_logprobs(chains, proposals)
        step_of = metropolis(memory_Q, proposals_QS)
        count = max(int(step_of.valid_Q.sum()), 1)
        scale_Q = np.zeros(len(chains))
        if self.estimator == "control-variate":
            held_Q = memory_Q > -np.inf
            scale_Q = leave_one_out_acceptance(step_of.moved_Q, held_Q) * held_Q
        chosen_Q = taken(step_of.take_QS, np.random.default_rng(key).random(len(chains)))
        after = advanced(chains, proposals, chosen_Q, step)
        terms = _terms(chains, proposals, step_of, scale_Q, count)
        state_Q = np.where(chosen_Q >= 0, proposals_QS[np.arange(len(chains)), chosen_Q], memory_Q)
        ages = [step - chain.since for chain, valid in zip(after, step_of.valid_Q, strict=True) if valid]
        info = {
            "acceptance": float(step_of.moved_Q.mean()),
            "valid_chains": float(step_of.valid_Q.mean()),
            "chain_age": float(np.mean(ages)) if ages else 0.0,
            "accept_scale": float(scale_Q.sum() / count),
            "answer_logprob": float(state_Q[state_Q > -np.inf].mean()) if (state_Q > -np.inf).any() else 0.0,
        }
        return EStep(after, terms, info)


def _terms(
    chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]], step_of: Moves, scale_Q: Floats, count: int
) -> list[Term]:
    weighed: list[Term] = []
    for q, (chain, row) in enumerate(zip(chains, proposals, strict=True)):
        if chain.rationale is not None:
            weighed.append(Term(chain.question_id, chain.rationale.token_ids, step_of.stay_Q[q] / count))
        for k, sample in enumerate(row):
            weighed.append(Term(chain.question_id, sample.token_ids, step_of.take_QS[q, k] / count))
            weighed.append(Term(chain.question_id, thought_ids(sample), -scale_Q[q] / len(row) / count))
    return merge(weighed)
