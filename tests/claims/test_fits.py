"""What the methods that fit a fixed set of rationales ascend, by enumeration of what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from e_steps import record
from enumeration import World

from aurify.methods import CoT, Direct, RejectionSampling, RestEM, Star
from aurify.rationales import Chain


def ascended(world, method, rows, theta=None):
    """sum_i w_i s_i, the scores under another world's weights where given."""
    scored = world if theta is None else World(theta, world.right_QV)
    proposals = [[record(world, q, z) for z in row] for q, row in enumerate(rows)]
    chains = [Chain(str(q)) for q in range(len(rows))]
    gradient = np.zeros_like(world.theta_QV)
    for term in method.e_step(0, 1, chains, proposals).terms:
        gradient += term.weight * scored.score(int(term.question_id), term.token_ids[0])
    return gradient


@pytest.mark.parametrize(("questions", "rationales", "samples"), [(2, 3, 2), (1, 4, 3)])
@pytest.mark.parametrize("seed", range(2))
def test_rest_em_is_the_m_step_of_the_model_that_sampled(questions, rationales, samples, seed):
    """(1 - (1 - pi_i)^K) E_{p_i(z | x, y)}[s(z)], the scores under whatever the weights have become."""
    sampler = World.random(questions, rationales, seed)
    theta = sampler.theta_QV + np.random.default_rng(seed).normal(size=sampler.theta_QV.shape)
    found = sum(p * ascended(sampler, RestEM(samples), drawn, theta) for p, drawn in sampler.draws(samples))
    reached_Q1 = 1 - (1 - sampler.pi_Q[:, None]) ** samples
    p_QV = World(theta, sampler.right_QV).p_QV
    np.testing.assert_allclose(found, reached_Q1 * (sampler.posterior_QV - p_QV) / questions, atol=1e-12)


def test_rest_em_starts_as_rejection_sampling():
    world = World.random(2, 3, seed=3)
    for _, drawn in world.draws(2):
        np.testing.assert_allclose(
            ascended(world, RestEM(2), drawn), ascended(world, RejectionSampling(2), drawn), atol=1e-15
        )


def test_star_is_hard_em():
    """One point in the place of the posterior: the greedy rationale where right, the hinted one where that is."""
    world = World(
        np.array([[2.0, 1.5, 0.0], [2.0, 0.5, 0.0], [2.0, 0.5, 0.0]]),
        np.array([[True, True, False], [False, True, False], [False, True, False]]),
    )
    mode_Q = world.theta_QV.argmax(axis=1)
    rows = [(mode_Q[0],), (mode_Q[1], 1), (mode_Q[2], 2)]  # right; rationalised; the hinted try fails as well
    found = ascended(world, Star(), rows)
    np.testing.assert_allclose(found, (world.score(0, 0) + world.score(1, 1)) / 3, atol=1e-15)
    # Question 0's posterior has mass on a second rationale, which hard EM takes away from.
    assert found[0, 1] < 0 < world.gradient_log_pi()[0, 1]
    # Question 2 is dropped, where the marginal likelihood still has a gradient.
    assert not found[2].any()
    assert world.gradient_log_pi()[2].any()


@pytest.mark.parametrize("method", [Direct(), CoT()])
def test_given_texts_are_fitted_by_maximum_likelihood(method):
    """-grad KL(q || p) for q uniform over the given right rationales of each question."""
    world = World.random(2, 4, seed=1)
    rows = [np.flatnonzero(right) for right in world.right_QV]
    q_QV = world.right_QV / world.right_QV.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ascended(world, method, rows), (q_QV - world.p_QV) / 2, atol=1e-15)
