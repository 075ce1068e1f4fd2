"""TRICE on records: what is accepted, what is learned from, what is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aurify.answers import Verdict
from aurify.methods import IncorrectOnly, NegativeReinforcement, RejectionSampling, Trice
from aurify.methods.trice import next_state
from aurify.rationales import Chain, Rationale


def rationale(question: str, ids: tuple[int, ...], right: bool) -> Rationale:
    return Rationale(
        question_id=question, token_ids=ids, text=str(ids), predicted="1",
        verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="", source="self", model="m", step=1,
        sample_index=0, seed=0, finish_reason="stop", logprob=-1.0,
    )  # fmt: skip


def weights(e_step):
    return {(term.question_id, term.token_ids): term.weight for term in e_step.terms}


OLD = Chain("a", rationale("a", (1,), True), since=1, visits=3, drawn=3, accepted=1)
HELD_A = Chain("a", rationale("a", (1,), True))
HELD = Chain("b", rationale("b", (9,), True))


def test_a_right_proposal_is_accepted_and_a_wrong_one_never():
    proposals = [[rationale("a", (2,), False)], [rationale("b", (3,), True)], [rationale("c", (4,), False)]]
    e_step = Trice().e_step(0, 5, [OLD, HELD, Chain("c")], proposals)
    a, b, c = e_step.chains
    assert (a.rationale, a.since, a.visits, a.drawn, a.accepted) == (OLD.rationale, 1, 4, 4, 1)
    assert (b.rationale, b.since, b.visits, b.accepted) == (proposals[1][0], 5, 1, 1)
    assert c.rationale is None
    assert weights(e_step) == {("a", (1,)): 0.5, ("a", (2,)): -0.5, ("b", (3,)): 0.5}


def test_the_basic_estimator_learns_from_right_ones_only():
    proposals = [[rationale("a", (2,), False)], [rationale("b", (3,), True)]]
    assert weights(Trice(estimator="basic").e_step(0, 5, [OLD, Chain("b")], proposals)) == {
        ("a", (1,)): 0.5,
        ("b", (3,)): 0.5,
    }


def test_an_accepted_batch_has_no_terms():
    proposals = [[rationale("a", (2,), True)], [rationale("b", (3,), True)]]
    e_step = Trice().e_step(0, 5, [OLD, HELD], proposals)
    assert e_step.terms == []
    assert e_step.info["acceptance"] == 1


def test_first_right_rationales_are_learned_where_memories_are_empty():
    """Less the share of right ones among the other empty chains, unless it is told to leave that."""
    chains, wrong = [Chain("a"), Chain("b")], [[rationale("a", (2,), True)], [rationale("b", (3,), False)]]
    right = [[rationale("a", (2,), True)], [rationale("b", (3,), True)]]
    assert weights(Trice().e_step(0, 5, chains, wrong)) == {("a", (2,)): 1.0, ("b", (3,)): -0.5}
    assert weights(Trice().e_step(0, 5, chains, right)) == {}
    for bare in (Trice(baseline="batch"), Trice(estimator="basic")):
        assert weights(bare.e_step(0, 5, chains, wrong)) == {("a", (2,)): 1.0}
        assert weights(bare.e_step(0, 5, chains, right)) == {("a", (2,)): 0.5, ("b", (3,)): 0.5}


def test_equal_sequences_are_one_term():
    proposals = [[rationale("a", (2,), True), rationale("a", (2,), True), rationale("a", (7,), False)]]
    e_step = Trice(samples=3, estimator="basic").e_step(0, 5, [OLD], proposals)
    assert weights(e_step) == {("a", (2,)): pytest.approx(1.0)}


def test_subsampling_keeps_the_number_of_sequences():
    chains = [Chain(str(i), rationale(str(i), (i,), True)) for i in range(20)]
    proposals = [[rationale(str(i), (100 + i,), i % 3 == 0)] for i in range(20)]
    e_step = Trice(estimator="subsampled", subsample=5).e_step(3, 5, chains, proposals)
    assert 1 <= len(e_step.terms) <= 5
    assert e_step == Trice(estimator="subsampled", subsample=5).e_step(3, 5, chains, proposals)


def test_subsamples_are_the_whole_on_average_over_the_keys():
    chains = [Chain(str(i), rationale(str(i), (i,), True)) for i in range(5)]
    proposals = [[rationale(str(i), (100 + i,), i % 3 == 0)] for i in range(5)]
    subsampled, keys = Trice(estimator="subsampled", subsample=3), range(400)
    steps = [weights(subsampled.e_step(key, 5, chains, proposals)) for key in keys]
    for term, weight in weights(Trice().e_step(0, 5, chains, proposals)).items():
        drawn = np.array([step.get(term, 0.0) for step in steps])
        assert drawn.mean() == pytest.approx(weight, abs=4 * drawn.std() / np.sqrt(len(keys)) + 1e-12)


def test_the_running_baseline_counts_a_questions_own_visits_beside_the_others():
    """b has moved at 2 of 2.5 visits, as far as it remembers; four more count as the others' did now: a did not."""
    proposals = [[rationale("a", (2,), False)], [rationale("b", (3,), True)], [rationale("c", (4,), False)]]
    known = Chain("b", rationale("b", (9,), True), visits=3, lately=2.0)
    assert known.remembered == pytest.approx(1 + 0.8 + 0.64)
    e_step = Trice(baseline="running").e_step(0, 5, [HELD_A, known, Chain("c", visits=1)], proposals)
    b_of_b = 2.0 / (4 + known.remembered)  # and c's is 0, since no other chain holds nothing
    assert weights(e_step) == {
        ("a", (1,)): 0.5, ("a", (2,)): pytest.approx(-0.5 * 4 / 4), ("b", (3,)): pytest.approx((1 - b_of_b) / 2),
    }  # fmt: skip


def test_the_running_baseline_of_a_suffix_move_counts_visits_with_one():
    """b took a new end at its only one, and a takes none now. That b's whole proposals were wrong is another rate."""
    ends = [[replace(rationale(q, ids, right), move="suffix")] for q, ids, right in (("a", (2,), 0), ("b", (3,), 1))]
    known = HELD
    for row in ([rationale("b", (5,), False)], [rationale("b", (6,), False)], [replace(HELD.rationale, move="suffix")]):
        known = known.visited(row, row[0] if row[0].right else None, 1)
    e_step = Trice(baseline="running", moves="suffix").e_step(0, 5, [HELD_A, known], ends)
    assert weights(e_step) == {
        ("a", (1,)): 0.5, ("a", (2,)): pytest.approx(-0.5 * 4 / 4), ("b", (3,)): pytest.approx((1 - 1 / (4 + 1)) / 2),
    }  # fmt: skip


def test_a_chain_remembers_when_it_moved():
    chain = Chain("a")
    for right in (True, False, True):
        chain = chain.visited([rationale("a", (1,), right), rationale("a", (2,), False)], None, 1)
    assert chain.lately == pytest.approx(1 + 0.64)
    suffix = replace(rationale("a", (1,), True), move="suffix")
    assert chain.visited([suffix], suffix, 2).lately == chain.lately
    assert chain.visited([suffix], suffix, 2).remembered == pytest.approx(chain.remembered)


def test_each_right_proposal_becomes_the_state_as_often_as_the_next():
    """Over evenly spaced uniforms, each of n right ones in a share of 1/n, wherever the wrong ones stand."""
    rows = [[False, True, True, False, True], [True, False, False, False, True], [False] * 5, [True] * 5]
    for row in rows:
        right_QS = np.tile(row, (3000, 1))
        chosen_Q = next_state(right_QS, (np.arange(3000) + 0.5) / 3000)
        counts = {index: int((chosen_Q == index).sum()) for index in set(chosen_Q.tolist())}
        places = [index for index, right in enumerate(row) if right]
        assert counts == ({index: 3000 / len(places) for index in places} or {-1: 3000})


def test_a_question_twice_in_a_batch_is_refused():
    with pytest.raises(ValueError, match="once"):
        Trice().e_step(0, 1, [OLD, OLD], [[rationale("a", (2,), True)]] * 2)


def test_diagnostics():
    proposals = [[rationale("a", (2,), False)], [rationale("b", (3,), True)], [rationale("c", (4,), False)]]
    info = Trice().e_step(0, 5, [OLD, HELD, Chain("c")], proposals).info
    assert info["acceptance"] == pytest.approx(1 / 3)
    assert info["valid_chains"] == pytest.approx(2 / 3)
    assert info["chain_age"] == pytest.approx(2.0)
    assert info["accept_scale"] == pytest.approx(0.5)
    assert info["wrong_weight_share"] == pytest.approx(1 / 3)
    assert info["effective_sequences"] == pytest.approx(3.0)


@pytest.mark.parametrize("method", [Trice(2), RejectionSampling(2), IncorrectOnly(2), NegativeReinforcement(2)])
def test_the_share_of_wrong_rationales_is_that_of_the_terms(method):
    chains = [Chain(str(i), rationale(str(i), (i,), True)) for i in range(5)]
    proposals = [[rationale(str(i), (100 + 2 * i + k,), i + k > 4) for k in range(2)] for i in range(5)]
    e_step = method.e_step(0, 5, chains, proposals)
    wrong = {sample.token_ids for row in proposals for sample in row if not sample.right}
    of_wrong = sum(abs(term.weight) for term in e_step.terms if term.token_ids in wrong)
    assert e_step.info["wrong_weight_share"] == pytest.approx(of_wrong / sum(abs(term.weight) for term in e_step.terms))


def test_the_baseline_of_empty_chains_is_theirs_alone():
    """C = 2 valid chains; c's b_m is 1, since a alone is as empty and was right, and it is divided by 1 + 2."""
    proposals = [[rationale("a", (2,), True)], [rationale("b", (3,), False)], [rationale("c", (4,), False)]]
    e_step = Trice().e_step(0, 5, [Chain("a"), HELD, Chain("c")], proposals)
    assert weights(e_step) == {("a", (2,)): 1 / 2, ("b", (9,)): 1 / 2, ("c", (4,)): -1 / 3}


def test_acceptance_and_groups_are_of_whole_proposals_of_the_model_itself():
    """New ends of right rationales and hinted ones are more often right than the model is."""
    whole = [[rationale("a", (2,), False), rationale("a", (3,), True)], [rationale("b", (3,), False)] * 2]
    end = replace(rationale("c", (5, 6), True), move="suffix", cut=1)
    chains = [OLD, HELD, Chain("c", rationale("c", (5, 7), True))]
    info = Trice(2, moves="mixed").e_step(0, 5, chains, [*whole, [end, end]]).info
    assert (info["acceptance"], info["dead_groups"], info["solved_groups"]) == (1 / 4, 1 / 2, 0)
    info = Trice(2, moves="suffix").e_step(0, 5, chains[2:], [[end, end]]).info
    assert info["moved_suffix"] == 1
    assert not {"acceptance", "dead_groups"} & info.keys(), "there are no others"
