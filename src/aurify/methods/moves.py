"""The kernels of the chains: what a chain does with its proposals. Functions of arrays; no draws are made here.

Every kernel here is an independence chain, given what it keeps: proposals z_1 .. z_K come from the model itself,
whatever the state is, so that target over proposal is a weight w(z), and

    a_k = w_k / (sum_j w_j + max(0, w - w_k))

is the probability with which the state z becomes proposal k: multiple-try Metropolis, and for K = 1 the
Metropolis-Hastings min(1, w_1 / w). The weights are

    independent    c(z)            a whole fresh rationale; target p(z | x, y)
    suffix         c(z) / |z|      a new end after the first t tokens of z, t uniform in 0 .. |z| - 1
    guide          c(z) p(z | x) / p(z | x, hint)      a whole one, drawn with the answer in the prompt

where c tells whether a rationale is right and |z| counts its tokens, the one that ends it included. Of a suffix move
the target is the joint law of (z, t), p(z | x, y) / |z| for t < |z|: drawing t given z leaves it as it is, and so does
a new z given t and z_<t, for which the model's own continuation is the proposal and c(z) / |z| the weight. Without the
length the law would be another one: short rationales are proposed from long ones more often than the other way round.

A fixed mixture of kernels leaves the target as it is. Which kernel moves a chain must not depend on its state among
the rationales that the target gives any probability; all of these end by themselves, within the limit, and both kernels
move them. Others, such as a wrong one or one that somebody wrote, are never come back to, and may be moved by any.

Source: Liu, Liang & Wong 2000 (doi 10.1080/01621459.2000.10473908) for multiple tries; suffix proposals for sampling
from a sharpened model are Karan & Du's, 2025 (arXiv 2510.14901). The posterior as their target is aurify's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurify.methods.terms import Bools, Floats


class Moves(NamedTuple):
    """What the chains may do, given the draws."""

    take_QS: Floats
    """a_k: the probability that the state becomes proposal k."""
    stay_Q: Floats
    """The probability that it stays as it is; 0 where the chain is not valid."""
    valid_Q: Bools
    """Whether the state or a proposal has any weight."""

    @property
    def moved_Q(self) -> Floats:
        """The probability that the chain moves."""
        return np.asarray(self.take_QS.sum(axis=1))


def metropolis(state_Q: Floats, proposals_QS: Floats) -> Moves:
    """The kernel's probabilities, from log w of the states [Q] and of the proposals [Q, S]; minus infinity is w = 0."""
    largest_Q = np.maximum(state_Q, proposals_QS.max(axis=1))
    valid_Q = largest_Q > -np.inf
    shift_Q = np.where(valid_Q, largest_Q, 0.0)
    old_Q1 = np.exp(state_Q - shift_Q)[:, None]
    new_QS = np.exp(proposals_QS - shift_Q[:, None])
    total_QS = new_QS.sum(axis=1, keepdims=True) + np.maximum(old_Q1 - new_QS, 0)
    take_QS: Floats = np.divide(new_QS, total_QS, out=np.zeros_like(new_QS), where=new_QS > 0)
    stay_Q: Floats = np.maximum(1 - take_QS.sum(axis=1), 0) * (state_Q > -np.inf)
    return Moves(take_QS, stay_Q, valid_Q)


def independent(right_QS: Bools, state_right_Q: Bools) -> Moves:
    """The independent kernel: the right proposals share the chance of 1, and where there is none the state stays."""
    n_right_Q = right_QS.sum(axis=1)
    valid_Q = state_right_Q | (n_right_Q > 0)
    take_QS: Floats = right_QS / np.maximum(n_right_Q, 1)[:, None]
    return Moves(take_QS, 1.0 * (valid_Q & (n_right_Q == 0)), valid_Q)


def suffix(right_QS: Bools, state_right_Q: Bools, length_QS: NDArray[np.int64], length_Q: NDArray[np.int64]) -> Moves:
    """The suffix kernel, given the cut, from the tokens of the proposals [Q, S] and of the states [Q]."""
    with np.errstate(divide="ignore"):
        state_Q = np.log(state_right_Q / np.maximum(length_Q, 1))
        return metropolis(state_Q, np.log(right_QS / np.maximum(length_QS, 1)))


def either(second_Q: Bools, first: Moves, second: Moves) -> Moves:
    """The second kernel's probabilities where ``second_Q`` says so, else the first's."""
    return Moves(
        np.where(second_Q[:, None], second.take_QS, first.take_QS),
        np.where(second_Q, second.stay_Q, first.stay_Q),
        np.where(second_Q, second.valid_Q, first.valid_Q),
    )


def taken(take_QS: Floats, uniforms_Q: Floats) -> NDArray[np.int64]:
    """Which proposal each state becomes [Q], or -1 where it stays."""
    below_QS = uniforms_Q[:, None] < np.cumsum(take_QS, axis=1)
    return np.where(below_QS.any(axis=1), below_QS.argmax(axis=1), -1)
