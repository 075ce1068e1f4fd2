"""Rationales drawn under the hinted (guide) prompt, with their weight as draws of the model by itself.

The guide draws z from q(z) = p(z | x, hint), where the hint tells the answer. A right draw is one of the posterior
p(z | x, y), which is proportional to p(z | x) c(z), by its weight w(z) = c(z) p(z | x) / q(z): as the proposal of an
independence chain (``methods.moves``), or among K of them by self-normalised importance sampling. log p - log q is a
sum over tokens, so its spread grows with the length of a rationale, and a few draws get all the weight (docs/results.md
has a figure).

Ours (docs/methods.md, "The memory and its kernel (E-step)").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aurify.methods.terms import Floats
from aurify.rationales import Rationale


@dataclass(frozen=True, kw_only=True)
class WeighedRationale(Rationale):
    """A rationale that was, or could have been, drawn under the hint."""

    log_weight: float
    """log p(z | x) - log p(z | x, hint) in nats under the current model."""


def log_weights(rationales: Sequence[Rationale | None]) -> Floats:
    """log w(z) of each, in nats; minus infinity for a wrong one and for none."""
    return np.array([_log_weight(one) for one in rationales])


def effective_sizes(weights_QS: Floats) -> Floats:
    """(sum w)^2 / sum w^2 of each question's draws [Q]: how many they are worth; 0 where all weights are."""
    squares_Q = (weights_QS**2).sum(axis=1)
    found_Q: Floats = np.divide(
        weights_QS.sum(axis=1) ** 2, squares_Q, out=np.zeros_like(squares_Q), where=squares_Q > 0
    )
    return found_Q


def _log_weight(rationale: Rationale | None) -> float:
    if rationale is None or not rationale.right:
        return -np.inf
    assert isinstance(rationale, WeighedRationale), "a method that corrects the guide was given rationales unweighed"
    return rationale.log_weight
