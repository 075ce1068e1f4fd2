"""TRICE's estimators have the expectation that the paper states, by enumeration of every outcome."""

from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest
from enumeration import World

from aurify.methods.moves import independent
from aurify.methods.resampling import systematic_counts
from aurify.methods.trice import (
    EstimatorWeights,
    estimator_weights,
    leave_one_out_acceptance,
    next_state,
    running_acceptance,
    subsample,
)


def weights(world, memory, drawn, kind):
    right_QS = world.is_right(drawn)
    memory_right_Q = np.array([world.right_QV[q, z] for q, z in enumerate(memory)])
    if kind == "basic":
        return estimator_weights(independent(right_QS, memory_right_Q), memory_right_Q)
    moved_Q = right_QS.any(axis=1)
    if kind == "running":
        earlier_moved_Q, earlier_Q = np.array([2.0, 0.0, 3.3])[: len(memory)], np.array([4.7, 0.0, 3.3])[: len(memory)]
        scale_Q = running_acceptance(moved_Q, memory_right_Q, earlier_moved_Q, earlier_Q)
    else:
        scale_Q = leave_one_out_acceptance(moved_Q, memory_right_Q)
    return estimator_weights(independent(right_QS, memory_right_Q), memory_right_Q, scale_Q)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("kind", "questions", "rationales", "samples"),
    [
        ("basic", 3, 3, 1), ("control variate", 3, 3, 1), ("running", 3, 3, 1), ("control variate", 1, 4, 1),
        ("basic", 2, 3, 2), ("control variate", 2, 3, 2), ("running", 2, 3, 2), ("control variate", 2, 2, 3),
    ],
)  # fmt: skip
def test_expectation_is_the_gradient_of_the_marginal_likelihood(kind, questions, rationales, samples, seed):
    world = World.random(questions, rationales, seed)

    def estimator(memory, drawn):
        w = weights(world, memory, drawn, kind)
        return world.gradient(w.memory_Q, memory, w.proposals_QS, drawn)

    np.testing.assert_allclose(world.expectation(estimator, samples), world.gradient_log_pi(), atol=1e-12)


def with_batch_baseline(right_QS, held_Q):
    moves = independent(right_QS, held_Q)
    return estimator_weights(moves, held_Q, leave_one_out_acceptance(moves.moved_Q, held_Q))


def from_empty(world, drawn, held_Q, *, baseline=True, share_moved=leave_one_out_acceptance):
    """The weights where only some chains hold a right rationale, as ``Trice.e_step`` has them."""
    right_QS = world.is_right(drawn)
    moves = independent(right_QS, held_Q)
    empty_Q = share_moved(moves.moved_Q, ~held_Q) * ~held_Q if baseline else None
    return estimator_weights(moves, held_Q, share_moved(moves.moved_Q, held_Q), empty_scale_Q=empty_Q)


def with_history(pi_Q, visits):
    """A running baseline that has seen so many visits of each question, and counted them without luck."""
    return lambda moved_Q, which_Q: running_acceptance(moved_Q, which_Q, visits * pi_Q, np.full(len(pi_Q), visits))


def moments_from_empty(world, held_Q, samples, weights_of):
    """Mean and total variance of an estimator over all draws; what is held are the first right rationales."""
    memory = tuple(int(row.argmax()) for row in world.right_QV)
    mean, square = np.zeros_like(world.theta_QV), 0.0
    for probability, drawn in world.draws(samples):
        w = weights_of(drawn)
        found = world.gradient(w.memory_Q, memory, w.proposals_QS, drawn)
        mean, square = mean + probability * found, square + probability * float((found**2).sum())
    return mean, square - float((mean**2).sum())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("held", "samples"), [((0, 0, 0, 0), 1), ((1, 0, 0, 1), 1), ((0, 1, 0), 2), ((1, 1, 0), 1)])
def test_the_baseline_of_empty_chains_leaves_the_expectation_as_it_is(held, samples, seed):
    held_Q, world = np.array(held, bool), World.random(len(held), 3, seed)
    plain, _ = moments_from_empty(
        world, held_Q, samples, lambda drawn: from_empty(world, drawn, held_Q, baseline=False)
    )
    for share_moved in (leave_one_out_acceptance, with_history(world.pi_Q, 3.0)):
        ours, _ = moments_from_empty(
            world, held_Q, samples, lambda drawn: from_empty(world, drawn, held_Q, share_moved=share_moved)  # noqa: B023 - used at once
        )  # fmt: skip
        np.testing.assert_allclose(ours, plain, atol=1e-12)

    def careless(drawn):  # divided by all valid chains, of which this one is one where its own draw is right
        w, bare = from_empty(world, drawn, held_Q), from_empty(world, drawn, held_Q, baseline=False)
        others_Q, count = 1 + w.valid_Q.sum() - w.valid_Q, max(int(w.valid_Q.sum()), 1)
        part_QS = (w.proposals_QS - bare.proposals_QS) * others_Q[:, None] / count
        changed_QS = bare.proposals_QS + part_QS
        return EstimatorWeights(bare.memory_Q, changed_QS, bare.stems_QS, bare.accept_scale_Q, bare.valid_Q)

    biased, _ = moments_from_empty(world, held_Q, samples, careless)
    if (~held_Q).sum() > 1:
        assert np.abs(biased - plain).max() > 1e-4


def test_the_baseline_of_empty_chains_lowers_the_variance():
    """Of the first step of a run, where nothing is held: every question alike, right in half of its draws."""
    theta_QV, right_QV = np.zeros((5, 2)), np.tile([True, False], (5, 1))
    world, held_Q = World(theta_QV, right_QV), np.zeros(5, bool)
    _, plain = moments_from_empty(world, held_Q, 1, lambda drawn: from_empty(world, drawn, held_Q, baseline=False))
    _, ours = moments_from_empty(world, held_Q, 1, lambda drawn: from_empty(world, drawn, held_Q))
    assert ours < 0.8 * plain


@pytest.mark.parametrize("held", [(0, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 1)])
def test_a_running_baseline_lowers_the_variance_where_questions_differ(held):
    """Five rationales, each as likely: scores are of one size. Right are four of two questions, one of the others."""
    held_Q = np.array(held, bool)

    def variance(rights, visits):
        world = World(np.zeros((4, 5)), np.arange(5) < np.array(rights)[:, None])
        share_moved = with_history(world.pi_Q, visits)
        return moments_from_empty(
            world, held_Q, 1, lambda drawn: from_empty(world, drawn, held_Q, share_moved=share_moved)
        )[1]

    assert variance((4, 4, 1, 1), 5.0) < variance((4, 4, 1, 1), 0.0)
    assert variance((2, 2, 2, 2), 5.0) < variance((2, 2, 2, 2), 0.0)


def coefficients(found):
    return found.memory_Q, found.proposals_QS, found.stems_QS


def mean_over_uniform(full, draws):
    """E over the uniform of subsampled weights: exact, since they are constant between breakpoints."""
    flat = np.concatenate([part.ravel() for part in coefficients(full)])
    edges = np.cumsum(np.abs(flat)) / max(np.abs(flat).sum(), 1e-300) * draws
    breaks = np.unique(np.clip(np.concatenate([[0.0], edges % 1.0, [1.0]]), 0, 1))
    means = [np.zeros_like(part) for part in coefficients(full)]
    for low, high in itertools.pairwise(breaks):
        drawn = coefficients(subsample(full, draws, (low + high) / 2))
        means = [mean + (high - low) * part for mean, part in zip(means, drawn, strict=True)]
    return means


@pytest.mark.parametrize("draws", [1, 2, 5])
def test_subsampling_is_unbiased(draws):
    world = World.random(3, 3, seed=0)

    def estimator(memory, drawn):
        memory_Q, proposals_QS, _ = mean_over_uniform(weights(world, memory, drawn, "control variate"), draws)
        return world.gradient(memory_Q, memory, proposals_QS, drawn)

    np.testing.assert_allclose(world.expectation(estimator, 1), world.gradient_log_pi(), atol=1e-9)


@pytest.mark.parametrize("draws", [1, 2, 5])
def test_every_coefficient_is_the_mean_of_its_subsamples(draws):
    """Of batches with new ends too, of which what was kept has coefficients of its own."""
    right_QS = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], bool)
    cut_QS, held_Q = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], bool), np.array([1, 1, 1, 0], bool)
    moves = independent(right_QS, held_Q)
    full = estimator_weights(moves, held_Q, leave_one_out_acceptance(moves.moved_Q, held_Q), cut_QS)
    assert (full.stems_QS > 0).sum() == 4
    for mean, part in zip(mean_over_uniform(full, draws), coefficients(full), strict=True):
        np.testing.assert_allclose(mean, part, atol=1e-12)


def test_resampling_with_a_softmax_of_the_weights_is_biased():
    """The published notebook's rule, p proportional to exp(w) over the 2M items: not what the paper means."""
    world = World.random(3, 3, seed=0)

    def estimator(memory, drawn):
        w = weights(world, memory, drawn, "control variate")
        right_Q = world.is_right(drawn)[:, 0]
        state = tuple(z if right else m for m, (z,), right in zip(memory, drawn, right_Q, strict=True))
        scale_Q, count = w.accept_scale_Q, w.valid_Q.sum()
        items = np.concatenate([w.valid_Q * (1 - scale_Q * right_Q), w.valid_Q * scale_Q * (1 - right_Q)])
        signs = np.concatenate([w.valid_Q * 1.0, -1.0 * w.valid_Q])
        p = np.exp(items) / np.exp(items).sum()
        expected = signs * p * items.sum() / count
        return world.gradient(expected[:3], state, expected[3:, None], drawn)

    bias = np.abs(world.expectation(estimator, 1) - world.gradient_log_pi()).max()
    assert bias > 0.05 * np.abs(world.gradient_log_pi()).max()


def test_an_accepted_batch_has_no_gradient():
    all_Q = np.ones(4, bool)
    w = estimator_weights(independent(all_Q[:, None], all_Q), all_Q, leave_one_out_acceptance(all_Q, all_Q))
    assert not w.memory_Q.any()
    assert not w.proposals_QS.any()


def test_weights_are_those_of_the_published_formula():
    """An oracle case of the notebook's formula, with duplicates merged into one coefficient."""
    right_QS, memory_Q = np.array([[0], [1], [0]], bool), np.array([0, 1, 1], bool)
    w = with_batch_baseline(right_QS, memory_Q)
    assert w.valid_Q.tolist() == [False, True, True]
    assert w.memory_Q.tolist() == [0, 0, 0.5]
    assert w.proposals_QS[:, 0].tolist() == [0, 0.5, -0.5]


def test_the_first_right_rationale_of_a_chain_counts_whole():
    """The notebook's formula has no gradient at all in these cases, since there b_m = 1."""
    right_QS, none_Q = np.array([[0], [1], [1]], bool), np.zeros(3, bool)
    w = with_batch_baseline(right_QS, none_Q)
    assert w.proposals_QS[:, 0].tolist() == [0, 0.5, 0.5]
    one_Q = np.array([0, 1, 0], bool)
    w = with_batch_baseline(right_QS, one_Q)
    assert w.proposals_QS[:, 0].tolist() == [0, 0.5, 0.5]
    assert not w.memory_Q.any()


@pytest.mark.parametrize("kind", ["basic", "control variate", "running"])
@pytest.mark.parametrize("seed", range(3))
def test_a_chain_without_a_right_rationale_gives_its_gradient_times_its_success_rate(kind, seed):
    """Beside a chain that holds one: as a single draw of rejection sampling, the normaliser apart (docs/methods.md)."""
    world = World.random(2, 3, seed)
    wrong, held = int(np.argmin(world.right_QV[0])), int(np.argmax(world.right_QV[1]))
    found = np.zeros((2, 3))
    for chance, drawn in world.draws(1):
        w = weights(world, (wrong, held), drawn, kind)
        found += chance * w.valid_Q.sum() * w.proposals_QS[0, 0] * world.score(0, drawn[0][0])
    expected = world.pi_Q[0] * (world.posterior_QV - world.p_QV)[0]
    np.testing.assert_allclose(found[0], expected, atol=1e-12)


def test_one_question_has_no_baseline():
    scale = leave_one_out_acceptance(np.ones(1, bool), np.ones(1, bool))
    assert scale.tolist() == [0.0]


def test_no_valid_chain_no_weight():
    nothing = independent(np.zeros((2, 3), bool), np.zeros(2, bool))
    w = estimator_weights(nothing, np.zeros(2, bool), np.array([0.5, 0.5]))
    assert not w.memory_Q.any()
    assert not w.proposals_QS.any()
    assert subsample(w, 4, 0.3) is w


@pytest.mark.parametrize("seed", range(5))
def test_control_variate_is_reinforce_with_a_baseline_and_replay_on_failure(seed):
    """(c~ - b) s(z~) + (1 - c~) s(memory) on every batch of valid chains: docs/methods.md."""
    random = np.random.default_rng(seed)
    right_QS, memory_Q = random.random((6, 1)) < 0.5, np.ones(6, bool)
    scale_Q = leave_one_out_acceptance(right_QS[:, 0], memory_Q)
    w = estimator_weights(independent(right_QS, memory_Q), memory_Q, scale_Q)
    np.testing.assert_allclose(w.proposals_QS[:, 0], (right_QS[:, 0] - scale_Q) / 6, atol=1e-15)
    np.testing.assert_allclose(w.memory_Q, (1 - right_QS[:, 0]) / 6, atol=1e-15)


def test_variance_falls_to_zero_with_accuracy():
    """Var(control variate) / Var(basic) at accept_scale = pi, the limit of leave-one-out in large batches."""

    def variance(world, kind):
        scale_Q = None if kind == "basic" else world.pi_Q

        def squared_error(memory, drawn):
            one_Q = np.ones(1, bool)
            w = estimator_weights(independent(world.is_right(drawn), one_Q), one_Q, scale_Q)
            return np.square(world.gradient(w.memory_Q, memory, w.proposals_QS, drawn) - world.gradient_log_pi())

        return world.expectation(squared_error, 1).sum()

    worlds = [World(np.array([[x, x + 0.5, 0.0, 0.3]]), np.array([[True, True, False, False]])) for x in (-2, 0, 2, 5)]
    ratios = [variance(world, "control variate") / variance(world, "basic") for world in worlds]
    assert worlds[0].pi_Q < 0.15
    assert worlds[-1].pi_Q > 0.99
    assert 0.9 < ratios[0] < 1
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 0.05


@pytest.mark.parametrize(("samples", "by_proposals", "by_questions"), [(4, 0.888, 0.830), (8, 0.889, 0.797)])
def test_the_share_of_questions_that_moved_is_the_better_size_for_many_samples(samples, by_proposals, by_questions):
    """Var / Var(basic) at pi = 0.3, b = the share of right proposals, and b = that of questions that moved.

    By the law of the number of right draws: right and wrong scores are independent, of variance 1, means as they must
    be (pi r + (1 - pi) w = 0), so the figures are those of scores in many dimensions, where means count for nothing.
    """
    pi = 0.3

    def variance(scale):
        total = 0.0
        for n in range(samples + 1):
            chance = comb(samples, n) * pi**n * (1 - pi) ** (samples - n)
            right = n * (1 / max(n, 1) - scale / samples) ** 2
            total += chance * (right + (samples - n) * (scale / samples) ** 2 + (n == 0))
        return total

    moved = 1 - (1 - pi) ** samples
    assert variance(pi) / variance(0) == pytest.approx(by_proposals, abs=0.03)
    assert variance(moved) / variance(0) == pytest.approx(by_questions, abs=0.03)
    assert variance(moved) < variance(pi) < variance(0)


@pytest.mark.parametrize("samples", [1, 2])
def test_chain_keeps_its_start_with_probability_one_minus_pi_a_visit(samples):
    """P(not refreshed after t visits) = (1 - pi)^(K t), and a refreshed chain is an exact posterior draw."""
    world = World.random(1, 4, seed=2)
    right_V, pi = world.right_QV[0], world.pi_Q[0]
    uniforms = (np.arange(samples) + 0.5) / samples  # each right proposal is chosen by an equal share of them
    transition_VV = np.zeros((4, 4))
    for probability, drawn in world.draws(samples):
        for uniform in uniforms:
            (chosen,) = next_state(world.is_right(drawn), np.array([uniform]))
            for z in range(4):
                transition_VV[z, z if chosen < 0 else drawn[0][chosen]] += probability / samples
    start = int(np.flatnonzero(~right_V)[0])
    state_V = np.eye(4)[start]
    for visits in range(1, 6):
        state_V = state_V @ transition_VV
        kept = (1 - pi) ** (samples * visits)
        assert state_V[start] == pytest.approx(kept, abs=1e-12)
        np.testing.assert_allclose(state_V * right_V / (1 - kept), world.posterior_QV[0], atol=1e-12)


def test_systematic_counts_are_floor_or_ceiling_of_their_expectation():
    weights_N = np.array([0.0, 3.0, 0.5, 0.0, 1.5])
    for uniform in np.linspace(0, 0.999, 37):
        counts = systematic_counts(weights_N, 7, uniform)
        expected = 7 * weights_N / weights_N.sum()
        assert counts.sum() == 7
        assert np.all((counts == np.floor(expected)) | (counts == np.ceil(expected)))
        assert counts[0] == counts[3] == 0
    assert systematic_counts(np.ones(4), 8, 0.0).tolist() == [2] * 4, "points on the edges are of what begins there"
    assert isinstance(
        subsample(
            EstimatorWeights(weights_N, np.zeros((5, 1)), np.zeros((5, 1)), np.zeros(5), np.ones(5, bool)), 3, 0.5
        ),
        EstimatorWeights,
    )
