"""What the on-policy methods have in common: the chains still step, equal draws merge, and who is asked what."""

from __future__ import annotations

import numpy as np
import pytest

from aurify.answers import Verdict
from aurify.errors import UsageError
from aurify.methods import GRPO, RLOO, IncorrectOnly, RejectionSampling
from aurify.methods.terms import group_shares
from aurify.rationales import Chain, Rationale

METHODS = [RejectionSampling(2), RLOO(2), GRPO(2), IncorrectOnly(2)]


def rationale(question: str, ids: tuple[int, ...], right: bool) -> Rationale:
    return Rationale(
        question_id=question, token_ids=ids, text=str(ids), predicted="1",
        verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="", source="self", model="m", step=1,
        sample_index=0, seed=0, finish_reason="stop", logprob=-1.0,
    )  # fmt: skip


def row(question: str, *right: bool) -> list[Rationale]:
    """Draws with the tokens (0,), (1,), ..."""
    return [rationale(question, (index,), value) for index, value in enumerate(right)]


def weights(method, *rows: list[Rationale]) -> dict[tuple[str, int], float]:
    e_step = method.e_step(0, 1, [Chain(drawn[0].question_id) for drawn in rows], rows)
    return {(term.question_id, *term.token_ids): term.weight for term in e_step.terms}


OLD = Chain("a", rationale("a", (9,), True), since=1, visits=1, drawn=2, accepted=1)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_the_memory_holds_the_latest_right_rationale(method):
    proposals = [row("a", False, False), row("b", True, False), row("c", False, False)]
    e_step = method.e_step(0, 5, [OLD, Chain("b"), Chain("c")], proposals)
    a, b, c = e_step.chains
    assert (a.rationale, a.since, a.visits, a.drawn, a.accepted) == (OLD.rationale, 1, 2, 4, 1)
    assert (b.rationale, b.since, b.visits, b.drawn, b.accepted) == (proposals[1][0], 5, 1, 2, 1)
    assert c.rationale is None
    assert all(term.token_ids != (9,) for term in e_step.terms)
    assert e_step.info["acceptance"] == pytest.approx(1 / 6)
    assert e_step.info["valid_chains"] == pytest.approx(2 / 3)
    assert e_step.info["chain_age"] == pytest.approx(2.0)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_the_key_alone_decides(method):
    proposals = [row("a", True, True), row("b", True, False)]
    first, again = (method.e_step(7, 5, [OLD, Chain("b")], proposals) for _ in range(2))
    assert first == again
    assert len({method.e_step(key, 5, [OLD, Chain("b")], proposals).chains[0].rationale for key in range(20)}) == 2


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_question_twice_in_a_batch_is_refused(method):
    with pytest.raises(ValueError, match="once"):
        method.e_step(0, 1, [OLD, OLD], [row("a", True, False)] * 2)


def test_rejection_sampling_averages_over_the_right_draws_and_all_questions():
    drawn = weights(RejectionSampling(3), row("a", True, False, True), row("b", False, False, False))
    assert drawn == {("a", 0): pytest.approx(0.25), ("a", 2): pytest.approx(0.25)}


def test_rejection_sampling_when_all_are_right_or_all_wrong():
    assert weights(RejectionSampling(2), row("a", True, True)) == {("a", 0): 0.5, ("a", 1): 0.5}
    assert weights(RejectionSampling(2), row("a", False, False)) == {}


def test_incorrect_only_pushes_down_what_failed():
    drawn = weights(IncorrectOnly(3), row("a", True, False, False), row("b", False, False, False))
    assert drawn == {("a", 1): -0.25, ("a", 2): -0.25, ("b", 0): -0.5, ("b", 1): -0.5, ("b", 2): -0.5}
    assert weights(IncorrectOnly(2), row("a", True, True)) == {}


def test_rloo_compares_each_draw_with_the_others():
    drawn = weights(RLOO(3), row("a", True, False, False), row("b", True, True, True))
    assert drawn == {("a", 0): pytest.approx(1 / 6), ("a", 1): pytest.approx(-1 / 12), ("a", 2): pytest.approx(-1 / 12)}


def test_grpo_standardises_by_the_spread_of_the_population():
    drawn = weights(GRPO(4), row("a", True, False, False, False), row("b", False, False, False, False))
    spread = (1 / 4 * 3 / 4) ** 0.5
    assert drawn[("a", 0)] == pytest.approx(0.75 / spread / 8)
    assert drawn[("a", 1)] == pytest.approx(-0.25 / spread / 8)
    assert len(drawn) == 4
    assert sum(drawn.values()) == pytest.approx(0)


@pytest.mark.parametrize("method", [RLOO(3), GRPO(3)], ids=repr)
@pytest.mark.parametrize("right", [True, False])
def test_a_group_without_spread_gives_nothing(method, right):
    e_step = method.e_step(0, 1, [Chain("a")], [row("a", right, right, right)])
    assert e_step.terms == []
    assert e_step.info["acceptance"] == right
    assert e_step.info["valid_chains"] == right
    assert e_step.info["effective_sequences"] == 0


@pytest.mark.parametrize("method", [RLOO, GRPO])
@pytest.mark.parametrize("samples", [1, 0])
def test_one_sample_has_nothing_to_compare_with(method, samples):
    with pytest.raises(UsageError, match="--samples 2"):
        method(samples)


@pytest.mark.parametrize(
    ("method", "right", "wrong"),
    [(RejectionSampling(3), 1.0, None), (RLOO(3), 1 / 3, -1 / 3), (GRPO(3), 2**0.5 / 3, -(2**0.5) / 3),
     (IncorrectOnly(3), None, -1 / 3)],
    ids=repr,
)  # fmt: skip
def test_equal_draws_are_one_term(method, right, wrong):
    proposals = [rationale("a", (1,), True), rationale("a", (1,), True), rationale("a", (2,), False)]
    expected = {("a", 1): right, ("a", 2): wrong}
    assert weights(method, proposals) == {key: pytest.approx(w) for key, w in expected.items() if w is not None}


def test_groups_that_tell_nothing_are_counted():
    rows = [row("a", False, False), row("b", True, True), row("c", True, False), row("d", False, False)]
    info = RLOO(2).e_step(0, 1, [Chain(name) for name in "abcd"], rows).info
    assert (info["dead_groups"], info["solved_groups"]) == (0.5, 0.25)
    alone = RejectionSampling(1).e_step(0, 1, [Chain("a")], [row("a", False)]).info
    assert "dead_groups" not in alone


def test_a_group_of_no_draws_is_neither_dead_nor_solved():
    """And one of which some were left out is what the others say."""
    right_QS = np.array([[False, False], [True, False], [False, False]])
    there_QS = np.array([[False, False], [True, False], [True, False]])
    assert group_shares(right_QS, there_QS) == {
        "dead_groups": pytest.approx(1 / 3),
        "solved_groups": pytest.approx(1 / 3),
    }
