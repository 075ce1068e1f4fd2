"""Suffix moves: the kernels leave the posterior as it is, and the estimators are unbiased, by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sequences import EOS, Sequences

from aurify.methods import Trice
from aurify.methods.moves import independent, suffix, taken
from aurify.rationales import Chain

WORLDS = [
    Sequences.random(seed, vocabulary=vocabulary, limit=limit, stop=stop)
    for seed, (vocabulary, limit, stop) in itertools.product(
        range(4), [(3, 4, ()), (4, 3, ()), (2, 6, ()), (3, 4, (2, 2))]
    )
]
worlds = pytest.mark.parametrize("world", WORLDS)


def without_length(right_QS, state_right_Q, length_QS, length_Q):
    """The suffix kernel as it must not be: a right end is always taken."""
    return independent(right_QS, state_right_Q)


def suffix_kernel(world, samples, kernel=suffix):
    """From every right state to every one, [right, right]."""
    states = sorted(world.right)
    place = {z: i for i, z in enumerate(states)}
    matrix = np.zeros((len(states), len(states)))
    for z in states:
        for chance, _, ends in world.suffix_draws(z, samples):
            right_1S = np.array([[end in world.right for end in ends]])
            lengths_1S = np.array([[len(end) for end in ends]])
            moves = kernel(right_1S, np.array([True]), lengths_1S, np.array([len(z)]))
            matrix[place[z], place[z]] += chance * moves.stay_Q[0]
            for end, take in zip(ends, moves.take_QS[0], strict=True):
                if take:
                    matrix[place[z], place[end]] += chance * take
    return matrix


def independent_kernel(world):
    states, posterior = sorted(world.right), world.posterior
    pi = sum(world.probability[z] for z in states)
    return pi * np.array([[posterior[z] for z in states]] * len(states)) + (1 - pi) * np.eye(len(states))


@worlds
def test_the_world_is_a_model(world):
    assert sum(world.probability.values()) == pytest.approx(1, abs=1e-12)
    assert len({len(z) for z in world.right}) > 1, "lengths vary"


@worlds
@pytest.mark.parametrize("samples", [1, 2])
def test_suffix_moves_and_their_mixtures_leave_the_posterior_as_it_is(world, samples):
    if samples > 1 and len(world.probability) > 60:
        pytest.skip("too many outcomes")
    target_Z = np.array([world.posterior[z] for z in sorted(world.right)])
    moved_ZZ = suffix_kernel(world, samples)
    np.testing.assert_allclose(moved_ZZ.sum(axis=1), 1, atol=1e-12)
    for share in (1.0, 0.5, 0.1):
        kernel_ZZ = share * moved_ZZ + (1 - share) * independent_kernel(world)
        np.testing.assert_allclose(target_Z @ kernel_ZZ, target_Z, atol=1e-12)
        flow_ZZ = target_Z[:, None] * kernel_ZZ
        np.testing.assert_allclose(flow_ZZ, flow_ZZ.T, atol=1e-12)  # detailed balance


@worlds
def test_without_the_length_the_law_is_off(world):
    target_Z = np.array([world.posterior[z] for z in sorted(world.right)])
    error = np.abs(target_Z @ suffix_kernel(world, 1, without_length) - target_Z).max()
    assert error > 1e-4


def test_a_chain_that_is_moved_by_what_ended_it_is_off():
    """Were rationales that end at a stop string moved by the independent kernel alone, they would become rare."""
    world = WORLDS[3]
    assert {z[-1] == EOS for z in world.right} == {True, False}
    states = sorted(world.right)
    target_Z = np.array([world.posterior[z] for z in states])
    at_eos_Z = np.array([z[-1] == EOS for z in states])
    kernel_ZZ = np.where(at_eos_Z[:, None], suffix_kernel(world, 1), independent_kernel(world))
    assert np.abs(target_Z @ kernel_ZZ - target_Z).max() > 1e-4


OTHERS = [(True, True), (False, False), (True, False)]
"""Whether two other chains with a suffix move take their new ends: so b is 1, 0 or a half."""


def other_chains(outcome):
    world = Sequences.random(0)
    right, wrong = sorted(world.right)[0], next(z for z in sorted(world.probability) if z not in world.right)
    chains = [world.chain(right, str(i + 1)) for i in range(len(outcome))]
    rows = [[world.record(right if moves else wrong, str(i + 1), cut=0)] for i, moves in enumerate(outcome)]
    return chains, rows


def ascended(world, method, z, cut, ends, outcome):
    """What the terms of the first question ascend, times the number of chains."""
    chains, rows = other_chains(outcome)
    own = [world.record(end, cut=cut) for end in ends]
    rows = [[row[0]] * len(own) for row in rows]
    e_step = method.e_step(0, 1, [world.chain(z), *chains], [own, *rows])
    terms = [term for term in e_step.terms if term.question_id == "0"]
    return sum((term.weight * world.score(term.token_ids) for term in terms), np.zeros_like(world.theta_PV)) * (
        1 + len(rows)
    )


SMALL = [Sequences.random(seed, limit=3, stop=stop) for seed in range(3) for stop in ((), (1, 2))]


@pytest.mark.parametrize("world", SMALL)
@pytest.mark.parametrize("outcome", OTHERS)
@pytest.mark.parametrize(("estimator", "samples"), [("control-variate", 1), ("basic", 1), ("control-variate", 2)])
def test_the_estimator_of_a_suffix_move_is_unbiased(world, outcome, estimator, samples):
    method, found = Trice(samples, estimator, moves="suffix"), np.zeros_like(world.theta_PV)
    for z, p in world.posterior.items():
        for chance, cut, ends in world.suffix_draws(z, samples):
            found += p * chance * ascended(world, method, z, cut, ends, outcome)
    np.testing.assert_allclose(found, world.gradient_log_pi(), atol=1e-12)


@pytest.mark.parametrize("outcome", OTHERS)
def test_its_terms_are_those_of_the_formula(outcome):
    """a s(z') + (1 - a) s(z) - b s(z'_>=t | x, z_<t), each draw by itself."""
    world, scale = SMALL[0], sum(outcome) / len(outcome)
    for z in world.right:
        for _, cut, (end,) in world.suffix_draws(z, 1):
            a = (end in world.right) * min(1, len(z) / len(end))
            expected = a * world.score(end) + (1 - a) * world.score(z) - scale * world.score(end, after=cut)
            found = ascended(world, Trice(moves="suffix"), z, cut, (end,), outcome)
            np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_control_variate_scores_the_new_end_alone():
    """With the whole proposal's score in its place the estimator would be biased: the kept part is no fresh draw."""
    world, bias = SMALL[0], 0.0
    for z, p in world.posterior.items():
        for chance, cut, (end,) in world.suffix_draws(z, 1):
            bias = bias + p * chance * (world.score(end) - world.score(end, after=cut))
    assert np.abs(bias).max() > 0.01


def test_a_subsampled_suffix_move_keeps_the_number_of_sequences_and_what_they_ascend():
    world, keys = SMALL[0], range(400)
    z = max(world.right, key=len)
    chains, rows = other_chains((True, False))
    wrong = next(end for _, cut, (end,) in world.suffix_draws(z, 1) if end not in world.right and cut == len(z) - 1)

    def weights(method, key):
        own = [world.record(wrong, cut=len(z) - 1)]
        terms = method.e_step(key, 1, [world.chain(z), *chains], [own, *rows]).terms
        return {(term.question_id, term.token_ids): term.weight for term in terms}

    steps = [weights(Trice(estimator="subsampled", subsample=2, moves="suffix"), key) for key in keys]
    assert all(1 <= len(step) <= 2 for step in steps)
    whole = weights(Trice(moves="suffix"), 0)
    assert whole["0", z[:-1]] > 0, "what was kept"
    for term, weight in whole.items():
        drawn = np.array([step.get(term, 0.0) for step in steps])
        assert drawn.mean() == pytest.approx(weight, abs=4 * drawn.std() / np.sqrt(len(keys)) + 1e-12)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("moves", ["suffix", "mixed"])
def test_the_chain_takes_a_new_end_as_often_as_its_probability(moves, samples):
    world = WORLDS[0]
    z, end = min(world.right, key=len), max(world.right, key=len)
    row = [world.record(end, cut=0)] * samples
    method, keys = Trice(samples, moves=moves), range(400)
    changed = [method.e_step(key, 1, [world.chain(z)], [row]).chains[0].rationale.token_ids == end for key in keys]
    weights = len(z) / len(end) * np.ones(samples)
    expected = float((weights / (weights.sum() + 1 - weights)).sum())
    assert np.mean(changed) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(keys)))
    counted = method.e_step(0, 1, [world.chain(z)], [row]).chains[0]
    assert (counted.visits, counted.others, counted.drawn) == (1, 1, 0), "no whole proposal was drawn"


def test_cuts_are_uniform_over_the_tokens_of_right_rationales_that_ended():
    world = WORLDS[0]
    z = max(world.right, key=len)
    for moves, share in (("suffix", 1), ("mixed", pytest.approx(0.5, abs=0.04))):
        kernels = [Trice(moves=moves).kernel(key, world.chain(z)) for key in range(3000)]
        cuts = [kernel.cut for kernel in kernels if kernel.move == "suffix"]
        assert len(cuts) / len(kernels) == share
        assert np.bincount(cuts) / len(cuts) == pytest.approx(np.full(len(z), 1 / len(z)), abs=0.04)
    wrong = next(one for one in world.probability if one not in world.right)
    for chain in (Chain("0"), world.chain(wrong)):
        assert Trice(moves="suffix").kernel(0, chain).move == "independent"
    assert Trice().kernel(0, world.chain(z)).move == "independent"


def test_each_kind_has_its_own_acceptance_rate():
    world = WORLDS[0]
    right, wrong = sorted(world.right)[0], next(z for z in sorted(world.probability) if z not in world.right)
    chains = [world.chain(right, str(i)) for i in range(4)]
    rows = [
        [world.record(right, "0")],
        [world.record(wrong, "1")],
        [world.record(wrong, "2", cut=0)],
        [world.record(wrong, "3", cut=0)],
    ]
    info = Trice(moves="mixed").e_step(0, 1, chains, rows).info
    assert (info["suffix_moves"], info["moved_suffix"], info["moved_independent"]) == (0.5, 0, 0.5)
    assert info["accept_scale"] == pytest.approx(1 / 4), "of the one whose only other whole proposal was right"


def test_nothing_is_taken_where_no_end_is_right():
    moves = suffix(np.zeros((1, 2), bool), np.ones(1, bool), np.array([[3, 4]]), np.array([5]))
    assert moves.stay_Q.tolist() == [1]
    assert taken(moves.take_QS, np.array([0.0])).tolist() == [-1]
