"""What a trial says of its rationales, and of another trial on the same questions."""

from __future__ import annotations

import pytest
from pilots import rationale, trial

from aurify.answers.verdict import Verdict
from aurify.doctor.trial import THOUGHT, Trial


def test_shares_and_counts():
    found = trial(4, 0, 2)
    assert found.right_Q.tolist() == [4, 0, 2]
    assert found.rate == pytest.approx(0.5)
    assert found.verdicts == {"right": 6, "wrong": 6}
    assert found.share("wrong") == 0.5
    assert found.tokens == 3


def test_a_thought_that_never_closed_is_told_apart_from_other_unparsable_texts():
    rows = [
        [rationale(0, Verdict.UNPARSABLE, reason="the thought is never closed"), rationale(0, Verdict.UNPARSABLE)],
        [rationale(1, Verdict.TRUNCATED), rationale(1, Verdict.RIGHT)],
    ]
    assert Trial("", rows, 1.0).verdicts == {THOUGHT: 1, "unparsable": 1, "truncated": 1, "right": 1}


def test_the_difference_is_paired_by_question():
    better = trial(4, 4, 4, 4, 4, 0).better_than(trial(1, 1, 1, 1, 1, 0))
    assert better.points == pytest.approx(100 * 5 * 0.75 / 6)
    assert better.p == pytest.approx(2 / 2**5)
    assert trial(2, 1).better_than(trial(2, 1)) == (0.0, 1.0)
