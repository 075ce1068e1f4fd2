"""No question can stand on both sides of a split, however it is named or written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.voting.pool import CandidatePool
from aurify.voting.splits import fold_of, normalised, split_pools


@given(st.text(), st.text(), st.integers(0, 9))
def test_the_fold_depends_on_the_text_alone(question: str, name: str, seed: int) -> None:
    pool = CandidatePool("a", question or "q", ())
    assert fold_of(pool.asked, 5, seed) == fold_of(
        replace(pool, question_id=name, task=name, level=name).asked, 5, seed
    )


def test_spacing_case_and_punctuation_do_not_move_a_question() -> None:
    same = ["What is 1+1?", "what  is 1 + 1", "WHAT IS 1+1 ?!"]
    for seed in range(20):
        assert len({fold_of(text, 7, seed) for text in same}) == 1
    assert normalised("?!") == "?!"


def test_no_question_is_on_both_sides() -> None:
    pools = [CandidatePool(f"{copy}-{i}", f"Question {i}?" + " " * copy, ()) for copy in range(3) for i in range(300)]
    train, held = split_pools(pools, 0.3, 0)
    assert not {normalised(p.question) for p in train} & {normalised(p.question) for p in held}
    assert len(train) + len(held) == 900
    assert 0.2 < len(held) / 900 < 0.4
    assert [p.question_id for p in split_pools(pools[::-1], 0.3, 0)[1]] == [p.question_id for p in held[::-1]]
    assert split_pools(pools, 0.3, 1)[1] != held


@pytest.mark.parametrize("holdout", [0.0, 1.0, -1.0])
def test_a_share_must_be_between_0_and_1(holdout: float) -> None:
    with pytest.raises(ValueError, match="holdout"):
        split_pools([], holdout, 0)
