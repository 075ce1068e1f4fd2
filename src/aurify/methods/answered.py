"""A rationale completed with the known answer, for methods that ask the model itself how well it fits.

A sampled text is cut after the words that announce an answer ("So the answer is"): what stands before is z, an exact
sample of p(z | x), since the cut is where these words first stand. The known answer y and an EOS are put after it, and
the model says log p(y | x, z). A text that never announces an answer has p(y | x, z) = 0.

Ours (docs/methods.md, "The memory and its kernel (E-step)"; docs/decisions.md, "where the answer begins, for
methods that score it").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aurify.methods.terms import Floats
from aurify.rationales import Chain, Rationale


@dataclass(frozen=True, kw_only=True)
class AnsweredRationale(Rationale):
    """(z, y): ``token_ids`` are those of z, then those of y where z comes to an answer."""

    thought: int
    """How many of the token ids are z's."""
    answer_logprob: float
    """log p(y | x, z) in nats under the current model; minus infinity where z comes to no answer."""


def thought_ids(rationale: Rationale) -> tuple[int, ...]:
    """The token ids of z alone."""
    assert isinstance(rationale, AnsweredRationale), "a method that scores answers was given rationales without scores"
    return rationale.token_ids[: rationale.thought]


def answer_logprob(rationale: Rationale | None) -> float:
    """log p(y | x, z); minus infinity for no rationale."""
    if rationale is None:
        return -np.inf
    assert isinstance(rationale, AnsweredRationale), "a method that scores answers was given rationales without scores"
    return rationale.answer_logprob


def answer_logprobs(chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> tuple[Floats, Floats]:
    """log p(y | x, z) of the memories [Q] and of the proposals [Q, S], in nats.

    Raises:
        ValueError: a question occurs twice.
    """
    if len({chain.question_id for chain in chains}) != len(chains):
        raise ValueError("a question may occur once in a step's batch: its proposals would share one memory")
    memory_Q = np.array([answer_logprob(chain.rationale) for chain in chains])
    return memory_Q, np.array([[answer_logprob(sample) for sample in row] for row in proposals])
