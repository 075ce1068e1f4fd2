"""TRICE with a likelihood ascends log p(y | x), JEPO its bounds, by enumeration of every outcome."""

from __future__ import annotations

import numpy as np
import pytest
from enumeration import World
from likelihoods import ANSWER, LikelihoodWorld

from aurify.methods import METHODS, Jepo, TriceLikelihood
from aurify.methods.jepo import FLOOR, multi_bound, single_bound
from aurify.methods.moves import independent, taken
from aurify.methods.moves import metropolis as moves
from aurify.methods.trice import estimator_weights, leave_one_out_acceptance

SHAPES = [(3, 3, 1), (2, 3, 2), (1, 4, 3)]
"""Questions, rationales a question, samples."""
cases = pytest.mark.parametrize(("questions", "rationales", "samples"), SHAPES)
seeds = pytest.mark.parametrize("seed", range(2))


@cases
@seeds
@pytest.mark.parametrize("estimator", ["basic", "control-variate"])
def test_likelihood_trice_ascends_the_marginal_likelihood(estimator, questions, rationales, samples, seed):
    world = LikelihoodWorld.random(questions, rationales, seed)
    found = world.expected(TriceLikelihood(samples, estimator))
    np.testing.assert_allclose(found, world.gradient_log_marginal(), atol=1e-12)
    mean_log = world.gradient_of(lambda other: float(np.log(other.marginal_Q).mean()))
    np.testing.assert_allclose(found, mean_log, atol=1e-9)


@seeds
@pytest.mark.parametrize("estimator", ["basic", "control-variate"])
def test_a_chain_without_likelihood_gives_its_gradient_times_its_likelihood(estimator, seed):
    """Beside two that have some, of three valid ones: it counts where its draw has, so a b_m would bias it."""
    world = LikelihoodWorld.random(3, 3, seed)
    found = sum(
        chance * world.ascended(TriceLikelihood(1, estimator), (0, 1, 2), drawn) for chance, drawn in world.draws(1)
    )
    expected = sum(world.p_QV[0, z] * world.score(0, (z, ANSWER)) for z in (1, 2)) / 3
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=1e-12)


def sampled(world, samples, estimator):
    """E of an estimator of one question: weights of s(z_k) and of grad L_k / L_k, from L_k [S]."""
    found = np.zeros((2, *world.theta_QV.shape))
    for chance, (row,) in world.draws(samples):
        likelihoods = world.likelihood_QV[0, list(row)]
        for z, thought, answer in zip(row, *estimator(likelihoods), strict=True):
            thoughts = world.score(0, (z,))
            found += chance * (thought * thoughts + answer * (world.score(0, (z, ANSWER)) - thoughts))
    return found


def others(rewards):
    return (rewards.sum() - rewards) / (len(rewards) - 1)


@seeds
@pytest.mark.parametrize("samples", [2, 3])
def test_verifree_is_the_likelihoods_gradient_times_the_likelihood(samples, seed):
    """Its reward is p(y | x, z): it ascends p(y | x), so an answer of small likelihood counts little."""
    world = LikelihoodWorld.random(1, 4, seed)
    found = sampled(world, samples, lambda given: ((given - others(given)) / samples, given / samples))
    np.testing.assert_allclose(found, world.marginal_Q[0] * world.gradient_log_marginal(), atol=1e-12)
    expected = world.marginal_Q[0] * world.expected(TriceLikelihood(1))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@seeds
@pytest.mark.parametrize("word", ["latro", "jepo-single"])
def test_latro_without_its_divergence_is_the_single_sample_bound(word, seed):
    """Its reward is log p(y | x, z), with the other samples as baseline, and grad log p(y | x, z) besides."""
    world = LikelihoodWorld.random(1, 4, seed)

    def logs(given):
        return np.log(np.maximum(given, np.exp(FLOOR)))

    found = sampled(world, 3, lambda given: ((logs(given) - others(logs(given))) / 3, (given > np.exp(FLOOR)) / 3))
    np.testing.assert_allclose(found, world.expected(METHODS.load(word)(3)), atol=1e-12)
    rewards_alone = sampled(world, 3, lambda given: ((logs(given) - others(logs(given))) / 3, 0 * given))
    assert np.abs(rewards_alone[1]).max() == 0, "log-probability rewards alone teach no answer"
    np.testing.assert_allclose(rewards_alone[0], found[0], atol=1e-12)


@pytest.mark.parametrize("samples", [1, 2, 3])
@seeds
def test_the_chain_leaves_the_posterior_as_it_is(samples, seed):
    world = LikelihoodWorld.random(1, 4, seed)
    logs_V = np.where(world.reaches_QV[0] > 0, np.log(np.maximum(world.likelihood_QV[0], 1e-300)), -np.inf)
    kernel_VV = np.zeros((4, 4))
    for probability, (row,) in world.draws(samples):
        for z in range(4):
            step = moves(logs_V[[z]], logs_V[list(row)][None])
            for k, other in enumerate(row):
                kernel_VV[z, other] += probability * step.take_QS[0, k]
            kernel_VV[z, z] += probability * (1 - step.take_QS.sum())
    target_V = world.posterior_QV[0]
    np.testing.assert_allclose(target_V @ kernel_VV, target_V, atol=1e-12)
    flow_VV = target_V[:, None] * kernel_VV
    np.testing.assert_allclose(flow_VV, flow_VV.T, atol=1e-12)  # detailed balance


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_a_likelihood_of_zero_and_one_is_the_checker(samples):
    """The very weights of ``methods.trice``, batch by batch."""
    random = np.random.default_rng(samples)
    with np.errstate(divide="ignore"):
        for _ in range(50):
            right_QS, memory_Q = random.random((5, samples)) < 0.4, random.random(5) < 0.6
            step = moves(np.log(memory_Q.astype(float)), np.log(right_QS.astype(float)))
            valid_Q = memory_Q | right_QS.any(axis=1)
            count = max(valid_Q.sum(), 1)
            scale_Q = leave_one_out_acceptance(step.moved_Q, memory_Q) * memory_Q
            checked = estimator_weights(
                independent(right_QS, memory_Q), memory_Q, leave_one_out_acceptance(right_QS.any(axis=1), memory_Q)
            )
            assert np.array_equal(step.valid_Q, valid_Q)
            np.testing.assert_allclose(step.stay_Q / count, checked.memory_Q, atol=1e-15)
            mine_QS = (step.take_QS - scale_Q[:, None] / samples * valid_Q[:, None]) / count
            np.testing.assert_allclose(mine_QS, checked.proposals_QS, atol=1e-15)


def test_the_state_is_drawn_with_the_weights():
    take_QS = np.array([[0.25, 0.5], [0.0, 0.0], [0.0, 1.0]])
    uniforms = (np.arange(1000) + 0.5) / 1000
    chosen = np.array([taken(take_QS, np.full(3, uniform)) for uniform in uniforms])
    assert [(chosen[:, 0] == k).mean() for k in (0, 1, -1)] == pytest.approx([0.25, 0.5, 0.25])
    assert (chosen[:, 1] == -1).all()
    assert (chosen[:, 2] == 1).all()


def test_likelihoods_beyond_the_range_of_floats():
    step = moves(np.array([-2000.0, -np.inf]), np.array([[-2001.0], [-np.inf]]))
    assert step.take_QS[0, 0] == pytest.approx(np.exp(-1))
    assert step.stay_Q.tolist() == pytest.approx([1 - np.exp(-1), 0])
    assert step.valid_Q.tolist() == [True, False]


def test_the_control_variate_takes_the_noise_out_as_likelihoods_rise():
    def variance(world, estimator):
        method, mean = TriceLikelihood(1, estimator), world.gradient_log_marginal()
        return sum(
            p * m * np.square(world.ascended(method, memory, drawn) - mean).sum()
            for p, drawn in world.draws(1)
            for m, memory in world.memories()
        )

    ratios = []
    for shift in (0.0, 6.0):
        base = LikelihoodWorld.random(3, 3, seed=0)
        world = LikelihoodWorld(base.theta_QV + shift * base.reaches_QV, np.full((3, 3), 6.0), base.reaches_QV)
        ratios.append(variance(world, "control-variate") / variance(world, "basic"))
    assert ratios[0] > 0.3
    assert ratios[1] < 0.1


def floored(world):
    return np.maximum(world.likelihood_QV, np.exp(FLOOR))


@pytest.mark.parametrize(("questions", "rationales", "samples"), [(2, 3, 2), (1, 3, 3)])
@seeds
def test_jepo_ascends_its_bounds(questions, rationales, samples, seed):
    world = LikelihoodWorld.random(questions, rationales, seed)

    def single(other):
        return float((other.p_QV * np.log(floored(other))).sum(axis=1).mean())

    def multi(other):
        values = floored(other)
        rows = range(questions)
        return sum(
            p * np.mean([np.log(np.mean([values[q, z] for z in drawn[q]])) for q in rows])
            for p, drawn in other.draws(samples)
        )

    for bound, objective in (("single", single), ("multi", multi)):
        found = world.expected(Jepo(samples, bound))
        np.testing.assert_allclose(found, world.gradient_of(objective), atol=2e-9)
        assert objective(world) < np.log(world.marginal_Q).mean(), "a lower bound"
    assert single(world) < multi(world), "the tighter one"
    assert np.abs(found - world.gradient_log_marginal()).max() > 1e-3, "not the gradient of the marginal likelihood"


@pytest.mark.parametrize(
    ("weigh", "bound"),
    [(single_bound, np.mean), (multi_bound, lambda logs: np.log(np.mean(np.exp(logs))))],
)
def test_an_answer_below_the_floor_has_no_gradient_in_either_bound(weigh, bound):
    """The weights of grad log L are the derivatives of the bound's draw by log L, found by differences."""
    logs, h = np.array([-1.5, FLOOR - 3, -0.25, FLOOR - 0.5]), 1e-5

    def held(values):
        return bound(np.maximum(values, FLOOR))

    slopes = [(held(logs + h * unit) - held(logs - h * unit)) / (2 * h) for unit in np.eye(len(logs))]
    np.testing.assert_allclose(weigh(logs[None])[1][0], slopes, atol=1e-9)
    assert slopes[1] == slopes[3] == 0


@pytest.mark.parametrize("weigh", [single_bound, multi_bound])
@pytest.mark.parametrize("samples", [2, 3, 8])
def test_draws_that_fit_alike_have_no_advantage_over_each_other(weigh, samples):
    """Whatever the answer's likelihood is: the baseline is on the scale of what it is taken from."""
    for log in (-0.1, -7.0, 2 * FLOOR):
        np.testing.assert_allclose(weigh(np.full((1, samples), log))[0], 0, atol=1e-12)


def test_the_enumerated_marginal_is_right():
    world = LikelihoodWorld.random(1, 3, seed=4)
    by_hand = World(world.theta_QV, world.reaches_QV > 0).p_QV @ world.likelihood_QV.T
    assert world.marginal_Q == pytest.approx(by_hand[0])
