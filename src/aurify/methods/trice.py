"""TRICE: the marginal likelihood of the right answer, by MCMC-EM with a control variate.

A rationale z is a latent variable. With c(z, y) in {0, 1} telling whether z ends in the answer y,

    log p(y | x) = log sum_z p(z | x) c(z, y),     its gradient = E_{p(z | x, y)}[ grad log p(z | x) ].

Every question keeps one rationale, the state of an independence chain whose target is p(z | x, y) and whose
proposal is the model itself: a right proposal is always accepted, a wrong one never (the ratio is c(z~)/c(z)).
This file holds that chain's step and the weights of the gradient estimators, as functions of arrays:

    basic              (1/C) sum_m c'_m s(z'_m)                                  Section 3, Algorithm 1
    control variate    (1/C) sum_m c'_m [ s(z'_m) - b_m s(z~_m) ]
    subsampled         L draws from the terms of the control variate with p = |w| / W

where s = grad log p(z | x), c'_m tells a valid chain, C = sum c', and b_m (``accept_scale``) is the share that moved
of the *other* chains that held a right rationale before: independent of z~_m, so E[b_m s(z~_m)] = 0 and nothing is
biased. A chain that held none counts only if z~_m is right, so there E[c'_m b_m s(z~_m)] is not 0, and b_m = 0. (The
published notebook has the rate of all valid chains for all of them; where memories begin empty that rate is 1, and the
first pass over the questions has no gradient.)

Such a chain has a baseline of its own (``--baseline all`` and ``running``, ours): its part (1/C) c_m s(z~_m) becomes
(1/C) c_m s(z~_m) - b_m s(z~_m) / (1 + C_m), with b_m the share of right ones among the other chains that held none, and
C_m the valid chains without this one; both are independent of z~_m, so that the expectation is as before.

A question that was asked before tells of itself (``--baseline running``, ours): both b_m are drawn from the share of
the others towards how often this very chain moved at its last visits, which its draw of now does not depend on either.
Where questions differ in how hard they are, that leaves less variance. As Xu & Ding, "Single-stream Policy
Optimization", 2025 (arXiv 2509.13232), track the value of a prompt for one sample of it a step.

With K proposals a question, s(z'_m) is the mean over its right proposals (the memory where there is none), and
s(z~_m) the mean over all of them; K = 1 is the paper. A chain moves if any of its proposals is right, so b_m is the
share of such questions: with the share of right proposals the estimators are unbiased too, and vary more.

A chain that holds a right rationale may instead be moved by a new end of it (``--moves``; see ``methods.moves``). With
a the probability that it takes z', of which the first t tokens are those of z, its part of the control variate is

    a s(z') + (1 - a) s(z) - b s(z'_>=t | x, z_<t)

and the last term has mean 0 given z and t, for every b that does not depend on this draw: the share that moved of the
other chains with a suffix move. Or it is proposed what the model writes with the answer in its prompt
(``methods.weighed``), of which the terms are a s(z') + (1 - a) s(z) alone: the score of a draw from another law has no
mean of 0. Left out, on purpose: the published notebook's resampling with p proportional to exp(w), which is biased
(tests/claims shows it).

Source: Phan, Hoffman et al., "Training Chain-of-Thought via Latent-Variable Inference", 2023 (arXiv 2312.02179).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurify.methods.base import EStep, Kernel, Method, Term
from aurify.methods.moves import Moves, either, independent, metropolis, suffix, taken
from aurify.methods.resampling import systematic_counts
from aurify.methods.terms import (
    Bools,
    Floats,
    advanced,
    diagnostics,
    group_shares,
    merge,
    merged_terms,
    right_or_wrong,
    there,
)
from aurify.methods.weighed import log_weights
from aurify.rationales import Chain, Rationale
from aurify.registry import setting

SECOND_SHARE = 0.5
"""How often ``--moves mixed`` takes the suffix kernel, and ``--moves guide`` the guide's."""
VISITS_IN_TURN = "Visits of a question before others follow, in rounds of 256 questions or more; 1: all in turn."
"""What ``--visits`` is, of this method and of others with a memory."""

OTHERS = 4.0
"""Visits of its own that the other questions of a step count for in a question's running baseline."""


class EstimatorWeights(NamedTuple):
    """Signed coefficients of sum_i w_i log p(z_i | x_i), already divided by the number of valid chains."""

    memory_Q: Floats
    proposals_QS: Floats
    stems_QS: Floats
    """Of log p(z_<t | x), what each proposal of a suffix move kept: with the opposite sign of the control variate's
    part of ``proposals_QS``, which leaves log p(z'_>=t | x, z_<t)."""
    accept_scale_Q: Floats
    valid_Q: Bools


def leave_one_out_acceptance(moved_Q: Bools | Floats, held_Q: Bools) -> Floats:
    """b_m: the share that moved of the other chains that ``held_Q`` names [Q]; 0 where there is no other one.

    So M = 1 is basic.
    """
    accepted_Q = moved_Q * held_Q
    others_Q = held_Q.sum() - held_Q
    total_Q = accepted_Q.sum() - accepted_Q
    rate_Q: Floats = np.divide(total_Q, others_Q, out=np.zeros(len(held_Q)), where=others_Q > 0)
    return rate_Q


def running_acceptance(moved_Q: Bools | Floats, held_Q: Bools, earlier_moved_Q: Floats, earlier_Q: Floats) -> Floats:
    """b_m from the question's own *earlier* visits [Q], drawn towards leave-one-out as by ``OTHERS`` visits more.

    Neither depends on this draw. Args: at how many of ``earlier_Q`` visits the chain moved, which need not be whole.
    """
    rate_Q = leave_one_out_acceptance(moved_Q, held_Q)
    return (earlier_moved_Q + OTHERS * rate_Q) / (earlier_Q + OTHERS)


def estimator_weights(
    moves: Moves,
    memory_right_Q: Bools,
    accept_scale_Q: Floats | None = None,
    cut_QS: Bools | None = None,
    there_QS: Bools | None = None,
    empty_scale_Q: Floats | None = None,
) -> EstimatorWeights:
    """Coefficients of the basic estimator, or with ``accept_scale_Q`` of the control variate.

    Args:
        moves: what each chain may do, given the draws.
        memory_right_Q: c(z), whether the memory before this step is right (False where it is empty).
        accept_scale_Q: b_m, from one of the functions above; None for the basic estimator. Not used where the memory
            was not right.
        cut_QS: whether each proposal goes on from a beginning of the memory; None: none does.
        there_QS: which places hold a proposal; None: all. K is then the number of each question's own.
        empty_scale_Q: b_m of the chains that held no right rationale and were proposed whole ones of the model itself,
            0 for others; None: 0 for all.

    A question without a right proposal or memory is not valid and gets no weight but that of its baseline. Where a
    proposal is right the independent kernel takes it, so the memory's own coefficient is 0: duplicates are merged.
    """
    there_QS = np.ones(moves.take_QS.shape, dtype=bool) if there_QS is None else there_QS
    samples_Q1 = np.maximum(there_QS.sum(axis=1, keepdims=True), 1)
    scale_Q = np.zeros(len(moves.valid_Q)) if accept_scale_Q is None else accept_scale_Q * memory_right_Q
    count = max(int(moves.valid_Q.sum()), 1)
    control_QS = (scale_Q * moves.valid_Q)[:, None] * there_QS / samples_Q1
    stems_QS = np.zeros_like(control_QS) if cut_QS is None else control_QS * cut_QS
    proposals_QS = (moves.take_QS - control_QS) / count
    if empty_scale_Q is not None:
        with_others_Q = 1 + moves.valid_Q.sum() - moves.valid_Q
        proposals_QS = proposals_QS - (empty_scale_Q / with_others_Q)[:, None] * there_QS / samples_Q1
    return EstimatorWeights(moves.stay_Q / count, proposals_QS, stems_QS / count, scale_Q, moves.valid_Q)


def subsample(weights: EstimatorWeights, draws: int, uniform: float) -> EstimatorWeights:
    """An unbiased estimate of ``weights`` with at most ``draws`` non-zero terms, by systematic resampling.

    Item i is drawn with p_i = |w_i| / W and every draw counts sign(w_i) W / L. Where W = 0, as when a whole batch
    is accepted, there is nothing to draw and the weights come back as they are.
    """
    parts = [weights.memory_Q, weights.proposals_QS, weights.stems_QS]
    flat = np.concatenate([part.ravel() for part in parts])
    total = np.abs(flat).sum()
    if total <= 0:
        return weights
    counts = systematic_counts(np.abs(flat), draws, uniform)
    drawn = np.split(np.sign(flat) * counts * total / draws, np.cumsum([part.size for part in parts])[:-1])
    memory_Q, proposals_QS, stems_QS = (found.reshape(part.shape) for found, part in zip(drawn, parts, strict=True))
    return weights._replace(memory_Q=memory_Q, proposals_QS=proposals_QS, stems_QS=stems_QS)


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
    "batch"; "all" gives the chains that hold nothing one too; "running" is as "all", and counts a question's own
    earlier visits. The estimator "basic" has none.
    """

    samples: int = 1
    remembers: ClassVar[bool] = True
    estimator: Literal["control-variate", "basic", "subsampled"] = setting(
        "control-variate", "The gradient estimator: control-variate, basic or subsampled."
    )
    baseline: Literal["batch", "running", "all"] = setting(
        "all",
        "The control variate's acceptance rate: of the other questions (batch); all: also a baseline for the chains "
        "that hold nothing yet, which then learn from wrong proposals too; running: as all, drawn towards the "
        "question's own earlier visits.",
    )
    subsample: int = setting(64, "Sequences drawn for the gradient by --estimator subsampled.", ge=1)
    moves: Literal["independent", "suffix", "mixed", "guide"] = setting(
        "independent",
        "How a chain moves: by whole fresh rationales; once it holds a right one by new ends of it, or by either "
        "(mixed); by fresh ones or, as often, by hinted ones, corrected (guide).",
    )
    visits: int = setting(1, VISITS_IN_TURN, ge=1)

    @property
    def corrects_guide(self) -> bool:
        """See ``methods.base.Method``."""
        return self.moves == "guide"

    def kernel(self, key: int, chain: Chain) -> Kernel:
        """See ``methods.base.Method``: a cut is uniform over the tokens of a right rationale that ended by itself."""
        held = chain.rationale
        kind, place = np.random.default_rng(key).random(2)
        if self.moves == "guide":
            return Kernel("guide" if kind < SECOND_SHARE else "independent")
        chosen = self.moves == "suffix" or (self.moves == "mixed" and kind < SECOND_SHARE)
        if not chosen or held is None or not held.right or held.finish_reason != "stop":
            return Kernel()
        return Kernel("suffix", int(place * len(held.token_ids)))

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Move the chains, and weigh what there is (see ``methods.base.Method``)."""
        random = np.random.default_rng(key)
        right_QS, there_QS = right_or_wrong(chains, proposals), there(proposals)
        held_Q = np.array([chain.right for chain in chains], dtype=bool)
        suffix_Q, guide_Q = (np.array([row[0].move == kind for row in proposals]) for kind in ("suffix", "guide"))
        whole_Q = ~(suffix_Q | guide_Q)
        moves = self._moves(right_QS, held_Q, suffix_Q, guide_Q, chains, proposals)
        scale_Q = empty_Q = None
        if self.estimator != "basic":
            alone = [(chain.lately, chain.remembered) for chain in chains]
            scale_Q = self._share_moved(moves.moved_Q, whole_Q & held_Q, alone)
            scale_Q += self._share_moved(
                moves.moved_Q, suffix_Q & held_Q, [(chain.others_taken, chain.others) for chain in chains]
            )
            if self.baseline != "batch":
                empty_Q = self._share_moved(moves.moved_Q, whole_Q & ~held_Q, alone)
        cut_QS = _at_places(there_QS, [sample.cut for row in proposals for sample in row]) > 0
        weights = estimator_weights(moves, held_Q, scale_Q, cut_QS, there_QS, empty_Q)
        if self.estimator == "subsampled":
            weights = subsample(weights, self.subsample, random.random())
        uniforms_Q = random.random(len(chains))
        chosen_Q = np.where(whole_Q, next_state(right_QS, uniforms_Q), taken(moves.take_QS, uniforms_Q))
        after = advanced(chains, proposals, chosen_Q, step)
        terms = merged_terms(chains, proposals, weights.memory_Q, weights.proposals_QS)
        terms = merge([*terms, *stem_terms(proposals, weights.stems_QS)])
        info = diagnostics(right_QS, there_QS, weights.memory_Q, weights.proposals_QS, after, step)
        del info["acceptance"]  # it is of what the model does by itself
        if whole_Q.any():
            info["acceptance"] = float(right_QS[whole_Q].sum() / max(int(there_QS[whole_Q].sum()), 1))
            info |= group_shares(right_QS[whole_Q], there_QS[whole_Q])
        info["accept_scale"] = float(weights.accept_scale_Q.sum() / max(int(held_Q.sum()), 1))
        if self.moves != "independent":
            name, second_Q = ("guide", guide_Q) if self.corrects_guide else ("suffix", suffix_Q)
            info |= {f"{name}_moves": float(second_Q.mean())}
            info |= {
                f"moved_{name}": float(moves.moved_Q[kind_Q].mean())
                for name, kind_Q in ((name, held_Q & second_Q), ("independent", held_Q & whole_Q))
                if kind_Q.any()
            }
        return EStep(after, terms, info)

    def _moves(
        self,
        right_QS: Bools,
        held_Q: Bools,
        suffix_Q: Bools,
        guide_Q: Bools,
        chains: Sequence[Chain],
        proposals: Sequence[Sequence[Rationale]],
    ) -> Moves:
        moves, there_QS = independent(right_QS, held_Q), there(proposals)
        if suffix_Q.any():
            length_QS = _at_places(there_QS, [len(sample.token_ids) for row in proposals for sample in row])
            length_Q = np.array([len(chain.rationale.token_ids) if chain.rationale else 0 for chain in chains])
            moves = either(suffix_Q, moves, suffix(right_QS, held_Q, length_QS, length_Q))
        if guide_Q.any():
            state_Q, weight_QS = np.full(len(chains), -np.inf), np.full(there_QS.shape, -np.inf)
            state_Q[guide_Q] = log_weights([c.rationale for c, ours in zip(chains, guide_Q, strict=True) if ours])
            weight_QS[there_QS & guide_Q[:, None]] = log_weights(
                [sample for row, ours in zip(proposals, guide_Q, strict=True) if ours for sample in row]
            )
            moves = either(guide_Q, moves, metropolis(state_Q, weight_QS))
        return moves

    def _share_moved(self, moved_Q: Bools | Floats, which_Q: Bools, earlier: Sequence[tuple[float, float]]) -> Floats:
        """b_m of the chains that ``which_Q`` names [Q], 0 for others; at how many of its visits each has moved."""
        if self.baseline != "running":
            return leave_one_out_acceptance(moved_Q, which_Q) * which_Q
        earlier_moved_Q, earlier_Q = np.array(earlier, dtype=np.float64).T
        return running_acceptance(moved_Q, which_Q, earlier_moved_Q, earlier_Q) * which_Q


def stem_terms(proposals: Sequence[Sequence[Rationale]], stems_QS: Floats) -> list[Term]:
    """The terms of what suffix moves kept."""
    return [
        Term(sample.question_id, sample.token_ids[: sample.cut], float(weight))
        for row, weights_S in zip(proposals, stems_QS, strict=True)
        for sample, weight in zip(row, weights_S, strict=False)
        if sample.cut
    ]


def _at_places(there_QS: Bools, values: Sequence[int]) -> NDArray[np.int64]:
    """The values of the proposals that are there [Q, S], row by row; 0 elsewhere."""
    found_QS = np.zeros(there_QS.shape, dtype=np.int64)
    found_QS[there_QS] = values
    return found_QS
