"""Hinted proposals, corrected: the kernel leaves the posterior as it is, the estimator is unbiased, by enumeration."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from sequences import Sequences

from aurify.methods import Guided, Trice
from aurify.methods.guided import self_normalised
from aurify.methods.moves import metropolis
from aurify.methods.weighed import WeighedRationale, effective_sizes
from aurify.rationales import Chain

WORLDS = [
    (world, replace(Sequences.random(seed + 100, limit=limit, stop=stop), right=world.right))
    for seed, (limit, stop) in itertools.product(range(3), [(4, ()), (3, (2, 2))])
    for world in [Sequences.random(seed, limit=limit, stop=stop)]
]
"""A model, and the same model under a hint: other probabilities of the same rationales."""
worlds = pytest.mark.parametrize(("world", "guide"), WORLDS)


def log_weight(world, guide, z):
    return math.log(world.probability[z] / guide.probability[z])


def weighed(world, guide, z, move="guide"):
    known = {**asdict(world.record(z)), "verdict": world.record(z).verdict, "move": move, "source": "guide"}
    return WeighedRationale(**known, log_weight=log_weight(world, guide, z))


def chain(world, guide, z):
    return Chain("0", weighed(world, guide, z))


def draws(guide, samples):
    """Every outcome of K hinted draws, with its probability."""
    for outcome in itertools.product(guide.probability.items(), repeat=samples):
        yield math.prod(p for _, p in outcome), tuple(z for z, _ in outcome)


def kernel(world, guide, samples, weight=log_weight):
    states = sorted(world.right)
    place = {z: i for i, z in enumerate(states)}
    matrix_ZZ = np.zeros((len(states), len(states)))
    for z, (chance, row) in itertools.product(states, draws(guide, samples)):
        new = [weight(world, guide, one) if one in world.right else -np.inf for one in row]
        moves = metropolis(np.array([weight(world, guide, z)]), np.array([new]))
        matrix_ZZ[place[z], place[z]] += chance * moves.stay_Q[0]
        for one, take in zip(row, moves.take_QS[0], strict=True):
            if take:
                matrix_ZZ[place[z], place[one]] += chance * take
    return matrix_ZZ


@worlds
@pytest.mark.parametrize("samples", [1, 2])
def test_guide_moves_leave_the_posterior_as_it_is(world, guide, samples):
    if samples > 1 and len(guide.probability) > 40:
        pytest.skip("too many outcomes")
    target_Z = np.array([world.posterior[z] for z in sorted(world.right)])
    kernel_ZZ = kernel(world, guide, samples)
    np.testing.assert_allclose(kernel_ZZ.sum(axis=1), 1, atol=1e-12)
    flow_ZZ = target_Z[:, None] * kernel_ZZ
    np.testing.assert_allclose(flow_ZZ, flow_ZZ.T, atol=1e-12)


@worlds
def test_uncorrected_they_do_not(world, guide):
    target_Z = np.array([world.posterior[z] for z in sorted(world.right)])
    kernel_ZZ = kernel(world, guide, 1, weight=lambda *_: 0.0)
    assert np.abs(target_Z @ kernel_ZZ - target_Z).max() > 1e-3


@worlds
@pytest.mark.parametrize("estimator", ["control-variate", "basic"])
def test_the_estimator_of_a_guide_move_is_unbiased(world, guide, estimator):
    method, found = Trice(1, estimator, moves="guide"), np.zeros_like(world.theta_PV)
    other = [Chain("1", replace(weighed(world, guide, sorted(world.right)[0]), question_id="1"))]
    other_row = [replace(world.record(sorted(world.right)[0], "1"))]  # moves, so the others' acceptance is 1
    for (z, p), (chance, (new,)) in itertools.product(world.posterior.items(), draws(guide, 1)):
        e_step = method.e_step(0, 1, [chain(world, guide, z), *other], [[weighed(world, guide, new)], other_row])
        for term in e_step.terms:
            if term.question_id == "0":
                found += 2 * p * chance * term.weight * world.score(term.token_ids)
    np.testing.assert_allclose(found, world.gradient_log_pi(), atol=1e-12)


@worlds
@pytest.mark.parametrize("baseline", ["all", "running"])
def test_an_empty_chain_has_no_baseline_of_a_guide_move(world, guide, baseline):
    """The score of a hinted draw has no mean of 0. Two other empty chains, of which one moves, would give it 1/2."""
    right, wrong = sorted(world.right)[0], next(z for z in sorted(world.probability) if z not in world.right)
    rows, found = [[world.record(right, "1")], [world.record(wrong, "2")]], np.zeros_like(world.theta_PV)
    for chance, (new,) in draws(guide, 1):
        e_step = Trice(baseline=baseline, moves="guide").e_step(
            0, 1, [Chain("0"), Chain("1"), Chain("2")], [[weighed(world, guide, new)], *rows]
        )
        for term in e_step.terms:
            if term.question_id == "0":
                found += chance * term.weight * world.score(term.token_ids)
    expected = sum(guide.probability[z] * world.score(z) for z in world.right) / 2  # valid with it: two
    np.testing.assert_allclose(found, expected, atol=1e-12)


@worlds
def test_the_chain_takes_a_hinted_proposal_as_often_as_its_probability(world, guide):
    z, new = (pick(world.right, key=lambda one: log_weight(world, guide, one)) for pick in (max, min))
    expected, keys = math.exp(log_weight(world, guide, new) - log_weight(world, guide, z)), range(600)
    steps = [
        Trice(moves="guide").e_step(key, 1, [chain(world, guide, z)], [[weighed(world, guide, new)]]) for key in keys
    ]
    taken = np.mean([step.chains[0].rationale.token_ids == new for step in steps])
    assert taken == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(keys)) + 1e-9)
    assert (steps[0].chains[0].visits, steps[0].chains[0].drawn) == (1, 0), "a hinted draw tells nothing of p(y | x)"


def test_an_empty_chain_takes_the_first_right_one():
    world, guide = WORLDS[0]
    right = sorted(world.right)[0]
    e_step = Trice(moves="guide").e_step(0, 1, [Chain("0")], [[weighed(world, guide, right)]])
    assert e_step.chains[0].rationale.token_ids == right
    assert [(term.token_ids, term.weight) for term in e_step.terms] == [(right, 1.0)]


def test_half_of_the_visits_are_guided_whatever_the_chain_holds():
    world, _ = WORLDS[0]
    for state in (Chain("0"), world.chain(sorted(world.right)[0])):
        moves = [Trice(moves="guide").kernel(key, state).move for key in range(2000)]
        assert moves.count("guide") / len(moves) == pytest.approx(0.5, abs=0.04)


def ascended(method, world, guide, samples):
    """E[what the terms of one question ascend] over K hinted draws, and its effective draws."""
    found, sizes = np.zeros_like(world.theta_PV), []
    for chance, row in draws(guide, samples):
        records = [weighed(world, guide, z, move=None) for z in row]
        e_step = method.e_step(0, 1, [Chain("0")], [records])
        for term in e_step.terms:
            found += chance * term.weight * world.score(term.token_ids)
        sizes.append(e_step.info["effective_draws"])
    return found, sizes


@worlds
def test_guided_ascends_the_guides_right_rationales_and_the_corrected_one_nearer_the_likelihood(world, guide):
    q_right = sum(guide.probability[z] for z in world.right)
    of_guide = sum(guide.probability[z] * world.score(z) for z in world.right)  # of one draw: times q_right, over it
    found, _ = ascended(Guided(1), world, guide, 1)
    np.testing.assert_allclose(found, of_guide, atol=1e-12)
    corrected, sizes = ascended(Guided(2, correction="self-normalised"), world, guide, 2)
    assert all(0 <= size <= 2 + 1e-9 for size in sizes)
    plain, _ = ascended(Guided(2), world, guide, 2)
    wanted, any_right = world.gradient_log_pi(), 1 - (1 - q_right) ** 2
    assert np.linalg.norm(corrected / any_right - wanted) < np.linalg.norm(plain / any_right - wanted)


def test_self_normalised_weights():
    weights_QS = self_normalised(np.array([[0.0, math.log(3), -np.inf], [-np.inf] * 3, [-800.0, -800.0, -np.inf]]))
    np.testing.assert_allclose(weights_QS, [[0.25, 0.75, 0], [0, 0, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(effective_sizes(weights_QS), [1 / (0.0625 + 0.5625), 0, 2])
    np.testing.assert_allclose(effective_sizes(7 * weights_QS), effective_sizes(weights_QS), err_msg="of any scale")


def test_rationales_without_weights_are_an_error():
    world, _ = WORLDS[0]
    right = replace(world.record(sorted(world.right)[0]), move="guide")
    with pytest.raises(AssertionError, match="unweighed"):
        Trice(moves="guide").e_step(0, 1, [Chain("0")], [[right]])
