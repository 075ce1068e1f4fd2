"""Stopping rules: exact probabilities, and that stopping for certain never changes an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from aurify.voting.stopping import Stopped, beta_confidence, cannot_change, spend
from aurify.voting.votes import vote


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (3, 0), (4, 1), (7, 5), (2, 6), (600, 580), (2000, 10)])
def test_beta_confidence_is_the_upper_half_of_the_posterior(first: int, second: int) -> None:
    assert beta_confidence(first, second) == pytest.approx(beta.sf(0.5, first + 1, second + 1), rel=1e-9)


def test_confidences_by_hand() -> None:
    assert beta_confidence(0, 0) == 0.5
    assert beta_confidence(1, 0) == 0.75
    assert beta_confidence(4, 0) == 31 / 32
    assert beta_confidence(1, 1) == 0.5
    with pytest.raises(ValueError, match="-1"):
        beta_confidence(-1, 0)


def test_four_equal_answers_are_sure_at_95_percent() -> None:
    assert spend([0] * 10) == Stopped(4, True)  # 1 - 2^-5 = 0.969; three give 0.9375
    assert spend([0] * 3) == Stopped(3, False)
    assert spend([0] * 10, threshold=0.99) == Stopped(6, True)
    assert spend([0, 1] * 5) == Stopped(10, False)
    assert spend([None] * 6) == Stopped(6, False)
    assert spend([0] * 10, rule="never") == Stopped(10, False)
    assert spend([0], threshold=0.6, least=1) == Stopped(1, False)


def test_certain_stops_when_the_rest_cannot_win() -> None:
    assert spend([0, 0, 0, 1, 1], rule="certain") == Stopped(3, True)  # two more could only lose 3 to 2
    assert spend([0, 0, 1, 1, 1], rule="certain") == Stopped(5, False)
    assert spend([0, 0, 0, 0, 1, 1], rule="certain") == Stopped(4, True)
    assert spend([0, 0, 1], rule="certain") == Stopped(2, True)  # as few as there may be
    assert spend([0, 0, 1], rule="certain", least=3) == Stopped(3, False)
    assert spend([0] * 9, rule="beta", threshold=0.6, least=4) == Stopped(4, True)
    assert not cannot_change([3, 0], 3, 1)  # a tie is a change
    assert cannot_change([3.5, 0], 3, 1)
    assert cannot_change([], 0, 1)
    assert not cannot_change([], 1, 1)


samples = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.floats(0, 1)), min_size=1, max_size=10)


@given(samples, st.sampled_from(["sc", "ws", "asc"]), st.sampled_from([0.5, 1.0, 2.0]))
def test_certain_never_changes_the_answer(pool: list[tuple[int | None, float]], kind: str, weight: float) -> None:
    groups, scores = [group for group, _ in pool], [score for _, score in pool]
    spent = spend(groups, scores, rule="certain", kind=kind, weight=weight, least=1)  # type: ignore[arg-type]
    early = vote(groups[: spent.samples], scores[: spent.samples], kind=kind, weight=weight)  # type: ignore[arg-type]
    full = vote(groups, scores, kind=kind, weight=weight)  # type: ignore[arg-type]
    if spent.surely:
        assert early.leaders == full.leaders


def test_certain_reckons_with_the_largest_votes_that_may_come() -> None:
    """Two sure samples of another answer have six votes against three, by 1 + 2 s each."""
    groups, scores = [0, 0, 0, 1, 1], [0.0, 0.0, 0.0, 1.0, 1.0]
    assert vote(groups, scores, kind="asc", weight=2.0).winner == 1
    assert spend(groups, scores, rule="certain", kind="asc", weight=2.0) == Stopped(5, False)
    assert spend(groups, scores, rule="certain", kind="sc") == Stopped(3, True)


def test_scores_make_the_adaptive_vote_surer() -> None:
    # after four, 3 to 1 is 0.81 sure; 13.8 to 1.4 of 15.2 is 4 to 0 of four, 0.97 sure
    groups = [0, 0, 1, 0, 0, 0]
    assert spend(groups).samples == 6
    assert spend(groups, [0.9, 0.9, 0.1, 0.9, 0.9, 0.9], kind="asc", weight=4).samples == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "certain", "kind": "best", "scores": [0.5, 0.5]}, "not for the vote 'best'"),
        ({"threshold": 0.5}, "threshold 0.5"),
        ({"threshold": 1.0}, "threshold 1.0"),
        ({"least": 0}, "least 0"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spend([0, 0], **arguments)  # type: ignore[arg-type]
