"""The enumerable world through the real E-step: records in, terms out, and the gradient that these terms ascend."""

from __future__ import annotations

import numpy as np
from enumeration import Array, World

from aurify.answers import Verdict
from aurify.methods import Method
from aurify.rationales import Chain, Rationale


def record(world: World, question: int, z: int) -> Rationale:
    """Rationale z of the world, whose only token is z."""
    return Rationale(
        question_id=str(question), token_ids=(z,), text=str(z), predicted=None,
        verdict=Verdict.RIGHT if world.right_QV[question, z] else Verdict.WRONG, reason="", source="self", model="m",
        step=1, sample_index=0, seed=0, finish_reason="stop", logprob=None,
    )  # fmt: skip


def ascended(world: World, method: Method, memory: tuple[int, ...], drawn: tuple[tuple[int, ...], ...]) -> Array:
    """sum_i w_i s_i over the terms of one E-step."""
    chains = [Chain(str(q), record(world, q, z)) for q, z in enumerate(memory)]
    proposals = [[record(world, q, z) for z in row] for q, row in enumerate(drawn)]
    gradient = np.zeros_like(world.theta_QV)
    for term in method.e_step(0, 1, chains, proposals).terms:
        gradient += term.weight * world.score(int(term.question_id), term.token_ids[0])
    return gradient


def expected_gradient(world: World, method: Method) -> Array:
    """The expectation of what one E-step ascends, over every outcome of its draws and of exact memories."""
    return world.expectation(lambda memory, drawn: ascended(world, method, memory, drawn), method.samples)


def total_variance(world: World, method: Method) -> float:
    """The trace of the covariance of what one E-step ascends."""
    mean = expected_gradient(world, method)
    return float(
        world.expectation(lambda m, drawn: np.square(ascended(world, method, m, drawn) - mean), method.samples).sum()
    )
