"""TRICE: the marginal likelihood of the right answer, by MCMC-EM with a control variate.

A rationale z is a latent variable. With c(z, y) in {0, 1} telling whether z ends in the answer y,

    log p(y | x) = log sum_z p(z | x) c(z, y),     its gradient = E_{p(z | x, y)}[ grad log p(z | x) ].

Every question keeps one rationale, the state of an independence chain whose target is p(z | x, y) and whose
proposal is the model itself: a right proposal is always accepted, a wrong one never (the ratio is c(z~)/c(z)).
This file holds that chain's step and the weights of the gradient estimators, as functions of arrays:

    basic              (1/C) sum_m c'_m s(z'_m)                                  Section 3, Algorithm 1
    control variate    (1/C) sum_m c'_m [ s(z'_m) - b_m s(z~_m) ]
    subsampled         L draws from the terms of the control variate with p = |w| / W

where s = grad log p(z | x), c'_m tells a valid chain, C = sum c', and b_m (``accept_scale``) is the acceptance
rate of the *other* chains that held a right rationale before: independent of z~_m, so E[b_m s(z~_m)] = 0 and nothing
is biased. A chain that held none counts only if z~_m is right, so there E[c'_m b_m s(z~_m)] is not 0, and b_m = 0. (The
published notebook has the rate of all valid chains for all of them; where memories begin empty that rate is 1, and the
first pass over the questions has no gradient.)

With K proposals a question, s(z'_m) is the mean over its right proposals (the memory where there is none), and
s(z~_m) the mean over all of them; K = 1 is the paper. Left out, on purpose: the published notebook's resampling
with p proportional to exp(w), which is biased (tests/claims shows it).

Source: Phan, Hoffman et al., "Training Chain-of-Thought via Latent-Variable Inference", 2023 (arXiv 2312.02179).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurify.methods.base import EStep, Method
from aurify.methods.resampling import systematic_counts
from aurify.methods.terms import Bools, Floats, advanced, diagnostics, merged_terms, right_or_wrong
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


class EstimatorWeights(NamedTuple):
    """Signed coefficients of sum_i w_i log p(z_i | x_i), already divided by the number of valid chains."""

    memory_Q: Floats
    proposals_QS: Floats
    accept_scale_Q: Floats
    valid_Q: Bools


def leave_one_out_acceptance(right_QS: Bools | Floats, held_Q: Bools) -> Floats:
    """b_m: the mean acceptance of the other chains that held a right rationale [Q]; 0 where there is no other one.

    So M = 1 is basic.
    """
    accepted_Q = right_QS.mean(axis=1) * held_Q
    others_Q = held_Q.sum() - held_Q
    total_Q = accepted_Q.sum() - accepted_Q
    rate_Q: Floats = np.divide(total_Q, others_Q, out=np.zeros(len(held_Q)), where=others_Q > 0)
    return rate_Q


def running_acceptance(
    right_QS: Bools, held_Q: Bools, earlier_right_Q: NDArray[np.int64], earlier_drawn_Q: NDArray[np.int64]
) -> Floats:
    """b_m from the question's own *earlier* visits [Q], which is independent of this draw; else leave-one-out."""
    fallback_Q = leave_one_out_acceptance(right_QS, held_Q)
    return np.divide(earlier_right_Q, earlier_drawn_Q, out=fallback_Q, where=earlier_drawn_Q > 0)


def estimator_weights(right_QS: Bools, memory_right_Q: Bools, accept_scale_Q: Floats | None = None) -> EstimatorWeights:
    """Coefficients of the basic estimator, or with ``accept_scale_Q`` of the control variate.

    Args:
        right_QS: c(z~), whether each proposal is right.
        memory_right_Q: c(z), whether the memory before this step is right (False where it is empty).
        accept_scale_Q: b_m, from one of the functions above; None for the basic estimator. Not used where the memory
            was not right.

    A question without a right proposal or memory is not valid and gets no weight. Where a proposal is right the
    memory is replaced, so its own coefficient is 0: duplicates are merged. Sums of absolute weights never exceed 2.
    """
    samples = right_QS.shape[1]
    n_right_Q = right_QS.sum(axis=1)
    valid_Q = memory_right_Q | (n_right_Q > 0)
    scale_Q = np.zeros(len(valid_Q)) if accept_scale_Q is None else accept_scale_Q * memory_right_Q
    count = max(int(valid_Q.sum()), 1)
    memory_Q = (valid_Q & (n_right_Q == 0)) / count
    positive_QS = right_QS / np.maximum(n_right_Q, 1)[:, None]
    proposals_QS = (positive_QS - scale_Q[:, None] / samples) * valid_Q[:, None] / count
    return EstimatorWeights(memory_Q, proposals_QS, scale_Q, valid_Q)


def subsample(weights: EstimatorWeights, draws: int, uniform: float) -> EstimatorWeights:
    """An unbiased estimate of ``weights`` with at most ``draws`` non-zero terms, by systematic resampling.

    Item i is drawn with p_i = |w_i| / W and every draw counts sign(w_i) W / L. Where W = 0, as when a whole batch
    is accepted, there is nothing to draw and the weights come back as they are.
    """
    questions = len(weights.memory_Q)
    flat = np.concatenate([weights.memory_Q, weights.proposals_QS.ravel()])
    total = np.abs(flat).sum()
    if total <= 0:
        return weights
    counts = systematic_counts(np.abs(flat), draws, uniform)
    drawn = np.sign(flat) * counts * total / draws
    return weights._replace(
        memory_Q=drawn[:questions], proposals_QS=drawn[questions:].reshape(weights.proposals_QS.shape)
    )


def next_state(right_QS: Bools, uniforms_Q: Floats) -> NDArray[np.int64]:
    """The chain's step: which proposal each memory becomes [Q], or -1 where it stays.

    One of the right proposals, each as likely as the next; with K = 1 that is accept-if-right.
    """
    n_right_Q = right_QS.sum(axis=1)
    chosen_Q = np.minimum((uniforms_Q * n_right_Q).astype(np.int64), n_right_Q - 1)
    rank_QS = np.cumsum(right_QS, axis=1) - 1
    hit_QS = right_QS & (rank_QS == chosen_Q[:, None])
    return np.where(n_right_Q > 0, hit_QS.argmax(axis=1), -1)


@dataclass(frozen=True)
class Trice(Method):
    """TRICE: the marginal likelihood of the right answer, by MCMC-EM with a control variate.

    The functions above are its arithmetic. ``baseline`` says where accept_scale comes from: the other questions of the
    "batch", or the question's own earlier visits ("running").
    """

    samples: int = 1
    remembers: ClassVar[bool] = True
    estimator: Literal["control-variate", "basic", "subsampled"] = setting(
        "control-variate", "The gradient estimator: control-variate, basic or subsampled."
    )
    baseline: Literal["batch", "running"] = setting(
        "batch", "The control variate's acceptance rate: of the other questions, or of earlier visits."
    )
    subsample: int = setting(64, "Sequences drawn for the gradient by --estimator subsampled.", ge=1)

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Accept or reject the proposals, and weigh what there is (see ``methods.base.Method``)."""
        random = np.random.default_rng(key)
        right_QS = right_or_wrong(chains, proposals)
        memory_right_Q = np.array([chain.right for chain in chains], dtype=bool)
        weights = estimator_weights(right_QS, memory_right_Q, self._accept_scale(right_QS, memory_right_Q, chains))
        if self.estimator == "subsampled":
            weights = subsample(weights, self.subsample, random.random())
        chosen_Q = next_state(right_QS, random.random(len(chains)))
        after = advanced(chains, proposals, chosen_Q, step)
        terms = merged_terms(chains, proposals, weights.memory_Q, weights.proposals_QS)
        info = diagnostics(right_QS, weights.memory_Q, weights.proposals_QS, after, step)
        info["accept_scale"] = float(weights.accept_scale_Q.sum() / max(int(memory_right_Q.sum()), 1))
        return EStep(after, terms, info)

    def _accept_scale(self, right_QS: Bools, memory_right_Q: Bools, chains: Sequence[Chain]) -> Floats | None:
        if self.estimator == "basic":
            return None
        if self.baseline == "batch":
            return leave_one_out_acceptance(right_QS, memory_right_Q)
        earlier = np.array([(chain.accepted, chain.drawn) for chain in chains], dtype=np.int64)
        return running_acceptance(right_QS, memory_right_Q, earlier[:, 0], earlier[:, 1])
