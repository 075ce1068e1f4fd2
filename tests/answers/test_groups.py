"""Votes count equivalent answers as one: groups are a partition that agrees with equality."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aurify.answers import Grader, group_answers


def test_each_type() -> None:
    with Grader() as grader:
        assert group_answers(["3", "3.0", None, "4", "three", "4"], "number", grader) == [0, 0, None, 1, None, 1]
        assert group_answers(["(A)", "b", "(B)", "A."], "choice", grader) == [0, 1, 1, 0]
        assert group_answers(["Yes", "no", "yes.", ""], "text", grader) == [0, 1, 0, None]
        math = ["\\frac12", "0.5", "x+1", "]]{{", "1+x", "1/2", None, "]]{{", "7"]
        assert group_answers(math, "math", grader) == [0, 0, 1, None, 1, 0, None, None, 2]


answers = st.lists(st.none() | st.integers(-5, 5).map(str) | st.sampled_from(["1.0", "2.00", "x", "1/2", "0.5", "50%"]))


@given(answers)
def test_groups_are_a_partition_that_agrees_with_equality(listed: list[str | None]) -> None:
    with Grader() as grader:
        groups = group_answers(listed, "number", grader)
        assert len(groups) == len(listed)
        firsts: list[str] = []
        for answer, group in zip(listed, groups, strict=True):
            if group is None:
                assert answer is None or not grader.readable(answer, "number")
                continue
            assert answer is not None
            if group == len(firsts):
                assert not any(grader.same(answer, first, "number") for first in firsts)
                firsts.append(answer)
            assert grader.same(answer, firsts[group], "number")
