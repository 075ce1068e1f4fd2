"""Each on-policy method ascends grad pi with the weight that it states, by enumeration of every outcome."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest
from e_steps import expected_gradient, total_variance
from enumeration import World

from aurify.methods import GRPO, RLOO, IncorrectOnly, MaxRL, NegativeReinforcement, RejectionSampling, Trice

SHAPES = [(2, 3, 2), (1, 4, 3), (2, 2, 3), (1, 3, 4)]
"""Questions, rationales a question, samples."""

cases = pytest.mark.parametrize(("questions", "rationales", "samples"), SHAPES)
seeds = pytest.mark.parametrize("seed", range(2))


def world_of(pi: float) -> World:
    """One question, two right rationales and two wrong ones, P(right) = pi."""
    odds = np.log(pi / (1 - pi))
    world = World(np.array([[odds, odds + 0.5, 0.2, 0.3]]), np.array([[True, True, False, False]]))
    p_V = world.p_QV[0]
    shift = odds - np.log((p_V[0] + p_V[1]) / (p_V[2] + p_V[3]))
    return World(world.theta_QV + shift * world.right_QV, world.right_QV)


def gradient_pi(world: World) -> np.ndarray:
    """The mean over questions of grad pi."""
    return world.gradient_log_pi() * world.pi_Q[:, None]


def truncated_series(world: World, terms: int) -> float:
    """J_K, the mean over questions of -sum_{k=1}^K (1 - pi)^k / k."""
    return float(-sum(np.mean((1 - world.pi_Q) ** k) / k for k in range(1, terms + 1)))


def finite_difference(world: World, terms: int, h: float = 1e-5) -> np.ndarray:
    gradient = np.zeros_like(world.theta_QV)
    for index in np.ndindex(*world.theta_QV.shape):
        up, down = world.theta_QV.copy(), world.theta_QV.copy()
        up[index] += h
        down[index] -= h
        up_value = truncated_series(World(up, world.right_QV), terms)
        gradient[index] = (up_value - truncated_series(World(down, world.right_QV), terms)) / (2 * h)
    return gradient


def grpo_weight(pi: float, samples: int) -> float:
    """E[sqrt(m (1 - m))] / (pi (1 - pi)), by the binomial."""
    spread = sum(
        comb(samples, n) * pi**n * (1 - pi) ** (samples - n) * sqrt(n / samples * (1 - n / samples))
        for n in range(samples + 1)
    )
    return spread / (pi * (1 - pi))


@cases
@seeds
@pytest.mark.parametrize("method", [RejectionSampling, IncorrectOnly])
def test_both_ends_of_the_truncated_series(method, questions, rationales, samples, seed):
    """Right rationales alone, and wrong ones alone, ascend the same J_K."""
    world = World.random(questions, rationales, seed)
    expected = expected_gradient(world, method(samples))
    reached_Q1 = (1 - (1 - world.pi_Q) ** samples)[:, None]
    np.testing.assert_allclose(expected, reached_Q1 * world.gradient_log_pi(), atol=1e-12)
    np.testing.assert_allclose(expected, finite_difference(world, samples), atol=1e-9)


@pytest.mark.parametrize("method", [RejectionSampling, IncorrectOnly])
def test_one_draw_ascends_the_success_probability(method):
    world = World.random(2, 3, seed=1)
    np.testing.assert_allclose(expected_gradient(world, method(1)), gradient_pi(world), atol=1e-12)


@cases
@seeds
def test_rloo_ascends_the_success_probability(questions, rationales, samples, seed):
    world = World.random(questions, rationales, seed)
    np.testing.assert_allclose(expected_gradient(world, RLOO(samples)), gradient_pi(world), atol=1e-12)


@cases
@seeds
@pytest.mark.parametrize(("dead", "missing"), [("skip", 1), ("unlearn", 0)])
def test_maxrl_ascends_the_series_up_to_its_order(dead, missing, questions, rationales, samples, seed):
    """J_{K-1}; J_K where dead groups are unlearned."""
    world, order = World.random(questions, rationales, seed), samples - missing
    expected = expected_gradient(world, MaxRL(samples, dead))
    reached_Q1 = (1 - (1 - world.pi_Q) ** order)[:, None]
    np.testing.assert_allclose(expected, reached_Q1 * world.gradient_log_pi(), atol=1e-12)
    np.testing.assert_allclose(expected, finite_difference(world, order), atol=1e-9)


def test_maxrl_varies_less_than_rejection_sampling():
    """What it subtracts has the mean of its order's error, and pays where most draws are right."""
    worlds = [world_of(pi) for pi in (0.5, 0.9)]
    for world in worlds:
        assert total_variance(world, MaxRL(3, "unlearn")) < total_variance(world, RejectionSampling(3))


@cases
@seeds
@pytest.mark.parametrize("right_weight", [0.0, 0.1, 1.0])
def test_negative_reinforcement_is_rloo_times_one_plus_lambda(right_weight, questions, rationales, samples, seed):
    world = World.random(questions, rationales, seed)
    found = expected_gradient(world, NegativeReinforcement(samples, right_weight))
    np.testing.assert_allclose(found, (1 + right_weight) * expected_gradient(world, RLOO(samples)), atol=1e-12)


@cases
@seeds
def test_grpo_weighs_by_the_expected_spread(questions, rationales, samples, seed):
    world = World.random(questions, rationales, seed)
    weight_Q1 = np.array([[grpo_weight(pi, samples)] for pi in world.pi_Q])
    np.testing.assert_allclose(expected_gradient(world, GRPO(samples)), weight_Q1 * gradient_pi(world), atol=1e-12)


@pytest.mark.parametrize(("samples", "constant"), [(2, 1.0), (3, sqrt(2))])
def test_grpo_in_groups_of_two_or_three_is_expected_accuracy(samples, constant):
    assert [grpo_weight(pi, samples) for pi in (0.01, 0.3, 0.5, 0.9)] == pytest.approx([constant] * 4)


@pytest.mark.parametrize("pi", [0.2, 0.35, 0.5, 0.8])
def test_grpo_tends_to_one_over_the_spread_in_large_groups(pi):
    errors = [abs(grpo_weight(pi, samples) * sqrt(pi * (1 - pi)) - 1) for samples in (8, 64, 512)]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.015
    assert errors[2] < 0.002


def test_trice_with_exact_memories_is_where_the_series_ends():
    """The same E-step records, the paper's objective: weight 1 / pi, whatever K."""
    world = World.random(2, 3, seed=0)
    for samples in (1, 2):
        np.testing.assert_allclose(expected_gradient(world, Trice(samples)), world.gradient_log_pi(), atol=1e-12)


def test_wrong_rationales_tell_more_only_where_accuracy_is_high():
    """Var(incorrect-only) / Var(rejection sampling) falls with accuracy, from above 1 to near 0."""
    worlds = [world_of(pi) for pi in (0.1, 0.5, 0.9, 0.98)]
    right = [total_variance(world, RejectionSampling(2)) for world in worlds]
    wrong = [total_variance(world, IncorrectOnly(2)) for world in worlds]
    ratios = [w / r for w, r in zip(wrong, right, strict=True)]
    assert [world.pi_Q[0] for world in worlds] == pytest.approx([0.1, 0.5, 0.9, 0.98])
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 1
    assert ratios[-1] < 0.1
