"""The votes: golden cases worked out by hand, and laws that hold of every vote."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.voting.votes import VOTES, Ballot, credit, fill_scores, logprob_scores, vote

GROUPS = [0, 0, 0, 1, 1]
SCORES = [0.1, 0.2, 0.1, 0.9, 0.8]


@pytest.mark.parametrize(
    ("kind", "weight", "votes", "winner", "chosen"),
    [
        ("sc", 1.0, (3, 2), 0, 1),
        ("ws", 1.0, (0.4, 1.7), 1, 3),
        ("asc", 1.0, (3.4, 3.7), 1, 3),  # 3 + 0.4 against 2 + 1.7
        ("asc", 0.5, (3.2, 2.85), 0, 1),  # half the weight leaves the majority
        ("asc", 2.0, (3.8, 5.4), 1, 3),
        ("asc", 0.0, (3, 2), 0, 1),
        ("best", 1.0, (0.2, 0.9), 1, 3),
    ],
)
def test_golden_votes(kind: str, weight: float, votes: tuple[float, ...], winner: int, chosen: int) -> None:
    ballot = vote(GROUPS, SCORES, kind=kind, weight=weight)  # type: ignore[arg-type]
    assert ballot.votes == pytest.approx(votes)
    assert (ballot.winner, ballot.leaders, ballot.chosen) == (winner, (winner,), chosen)
    assert ballot.confidence == pytest.approx(votes[winner] / sum(votes))


def test_a_tie_is_won_by_score_and_credited_in_parts() -> None:
    ballot = vote([0, 1, 1, 0, 2], [0.1, 0.9, 0.2, 0.3, 0.9])
    assert ballot.leaders == (1, 0)
    assert (ballot.winner, ballot.chosen) == (1, 1)
    assert ballot.confidence == pytest.approx(2 / 5)
    assert credit(ballot, [True, False, True]) == 0.5
    assert credit(ballot, [False, False, True]) == 0
    assert credit(ballot, [None, True, None]) == 0.5


def test_sums_that_rounding_alone_tells_apart_tie() -> None:
    assert 0.1 + 0.2 > 0.3
    ballot = vote([1, 0, 0], [0.3, 0.1, 0.2], kind="ws")
    assert (ballot.leaders, ballot.winner) == ((1, 0), 1), "and the first drawn wins"


def test_a_tie_without_scores_is_won_by_the_first_drawn() -> None:
    ballot = vote([1, 0, 0, 1])
    assert (ballot.leaders, ballot.winner, ballot.chosen) == ((1, 0), 1, 0)


@pytest.mark.parametrize("kind", VOTES)
def test_unparsable_answers_never_win(kind: str) -> None:
    ballot = vote([None, None, 0, None], [1.0, 1.0, 0.1, 1.0], kind=kind)  # type: ignore[arg-type]
    assert (ballot.winner, ballot.chosen) == (0, 2)
    assert ballot.confidence == pytest.approx(1.0)
    assert vote([None, None], [0.5, 0.5], kind=kind) == Ballot((), (), None, 0.0, None)  # type: ignore[arg-type]
    assert vote([], [], kind=kind) == Ballot((), (), None, 0.0, None)  # type: ignore[arg-type]
    assert credit(Ballot((), (), None, 0.0, None), []) == 0


@pytest.mark.parametrize("kind", VOTES)
def test_one_sample_and_all_equal(kind: str) -> None:
    one = vote([0], [0.2], kind=kind)  # type: ignore[arg-type]
    assert (one.winner, one.chosen, one.confidence) == (0, 0, 1.0)
    equal = vote([0, 0, 0], [0.2, 0.4, 0.4], kind=kind)  # type: ignore[arg-type]
    assert (equal.winner, equal.chosen, equal.confidence) == (0, 1, 1.0)  # the earlier of the two best
    nothing = vote([0, 1], [0.0, 0.0], kind=kind)  # type: ignore[arg-type]
    assert (nothing.leaders, nothing.winner, nothing.confidence) == ((0, 1), 0, 0.5)


def test_missing_scores_count_as_the_mean_of_the_others() -> None:
    assert fill_scores([0.2, None, 0.6], 3) == pytest.approx([0.2, 0.4, 0.6])
    assert fill_scores([None, None], 2) == [1.0, 1.0]  # as the paper's code does
    assert vote([0, 1, 1], [0.9, None, 0.1], kind="ws").votes == pytest.approx((0.9, 0.6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "asc"}, "needs scores"),
        ({"scores": [0.5]}, "1 scores for 2 candidates"),
        ({"scores": [0.5, 1.5]}, "score 1.5"),
        ({"scores": [0.5, float("nan")]}, "score nan"),
        ({"scores": [0.5, 0.5], "weight": -1.0}, "weight -1.0"),
        ({"scores": [0.5, 0.5], "weight": float("inf")}, "weight inf"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vote([0, 1], **arguments)  # type: ignore[arg-type]


def test_scores_by_the_rank_of_the_log_probability() -> None:
    e, f = math.e, [1 - (1 - u / 0.75) ** 2 for u in (0.25, 0.5)]
    assert logprob_scores([-9.0, -1.0, -5.0, -3.0]) == pytest.approx([e ** (f[0] - 1), 1, e ** (f[1] - 1), 1])
    assert logprob_scores([-9.0, -1.0, -5.0, -3.0], beta=0) == [1, 1, 1, 1]
    assert logprob_scores([-2.0, -2.0]) == [1, 1]  # both at the mean rank of 3/4 of the sample
    assert logprob_scores([None, -1.0]) == [None, 1]
    assert logprob_scores([None]) == [None]


def test_samples_that_are_as_likely_have_the_mean_of_their_ranks() -> None:
    """Ranks 1, 2.5, 2.5 and 4 of 4, by the formula."""
    expected = [math.exp((1 - (1 - min(rank / 4 / 0.75, 1)) ** 2) - 1) for rank in (2.5, 1, 4, 2.5)]
    assert logprob_scores([-2.0, -3.0, -1.0, -2.0]) == pytest.approx(expected)


def test_the_likelier_of_two_minorities_wins_by_log_probability() -> None:
    logprobs = [-1.0, -2.0, -8.0, -9.0, -10.0]
    scores = logprob_scores(logprobs)
    assert vote([0, 0, 1, 1, 2]).leaders == (0, 1)
    assert vote([0, 0, 1, 1, 2], scores, kind="logprob").winner == 0
    assert vote([1, 1, 0, 0, 2], scores, kind="logprob").winner == 1
    assert vote([0, 1, 1, 1, 1], scores, kind="logprob").winner == 1, "four less likely ones outweigh the likeliest"
    ballot = vote([0, 0, 1, 1, 2], scores, kind="logprob")
    assert ballot.votes == pytest.approx((2, scores[2] + scores[3], scores[4]))


@given(st.lists(st.integers(-100, 0), min_size=1, max_size=12), st.floats(0, 3))
def test_laws_of_log_probability_scores(logprobs: list[int], beta: float) -> None:
    scores = [score for score in logprob_scores(logprobs, beta) if score is not None]
    assert all(math.exp(-beta) - 1e-9 <= score <= 1 for score in scores)
    assert scores[logprobs.index(max(logprobs))] == max(scores)
    for one, its in zip(logprobs, scores, strict=True):
        for other, theirs in zip(logprobs, scores, strict=True):
            assert its <= theirs + 1e-12 or one > other
    assert logprob_scores([2 * value - 5 for value in logprobs], beta) == pytest.approx(scores)


pools = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=9)


@given(pools, st.sampled_from(VOTES))
def test_laws_of_every_vote(pool: list[tuple[int | None, float]], kind: str) -> None:
    groups, scores = [group for group, _ in pool], [score for _, score in pool]
    ballot = vote(groups, scores, kind=kind)  # type: ignore[arg-type]
    voted_for = {group for group in groups if group is not None}
    assert (ballot.winner is None) == (not voted_for)
    if ballot.winner is not None and ballot.chosen is not None:
        assert ballot.winner == ballot.leaders[0] == groups[ballot.chosen]
        assert 0 < ballot.confidence <= 1
        assert ballot.votes[ballot.winner] == pytest.approx(max(ballot.votes[group] for group in voted_for))
    backwards = vote(groups[::-1], scores[::-1], kind=kind)  # type: ignore[arg-type]
    assert set(backwards.leaders) == set(ballot.leaders)


@given(pools, st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 1.0, 2.0, 7.0]))
def test_equal_scores_make_the_adaptive_vote_self_consistency(
    pool: list[tuple[int | None, float]], score: float, weight: float
) -> None:
    groups = [group for group, _ in pool]
    adaptive = vote(groups, [score] * len(groups), kind="asc", weight=weight)
    plain = vote(groups)
    assert (adaptive.leaders, adaptive.winner) == (plain.leaders, plain.winner)
