"""The case view says what the weighting changed."""

from __future__ import annotations

from aurify.voting.case import case_of, lines
from aurify.voting.pool import Candidate, CandidatePool


def pool(rights: list[bool | None], groups: list[int | None]) -> CandidatePool:
    candidates = tuple(
        Candidate(f"text {i}", f"a{g}", g, r) for i, (g, r) in enumerate(zip(groups, rights, strict=True))
    )
    return CandidatePool("q", "Why?", candidates)


def test_the_scores_move_only_close_votes() -> None:
    three = pool([False, False, True], [0, 0, 1])
    assert case_of(three, [0.1, 0.1, 0.9]).change == "none"  # 2.2 against 1.9
    assert case_of(three, [0.0, 0.0, 1.0]).change == "wrong to right"  # 2 against 2: the scores break the tie
    assert case_of(three, [0.1, 0.1, 0.9], weight=2).change == "wrong to right"  # 2.4 against 2.8


def test_every_kind_of_change() -> None:
    for rights, change in (
        ([False, False, True], "wrong to right"),
        ([True, True, False], "right to wrong"),
        ([False, False, False], "between wrong ones"),
        ([None, None, True], "unjudged"),
    ):
        case = case_of(pool(rights, [0, 0, 1]), [0.1, 0.1, 0.9], weight=3)  # type: ignore[arg-type]
        assert case.change == change
        assert f"changed the majority's answer: {change}" in "\n".join(lines(case))
    assert case_of(pool([None, None], [None, None]), [0.5, 0.5]).change == "none"


def test_the_view_shows_all_and_obeys_nothing() -> None:
    shown = "\n".join(
        lines(
            case_of(
                CandidatePool(
                    "q\x1b[31m",
                    "Why\x1b]0;x\x07?",
                    (Candidate("t\x1b[2J", "\x1b[1m5", 0, True), Candidate("u", None, None)),
                ),
                [0.25, 0.5],
            )
        )
    )
    assert "\x1b" not in shown
    for part in (
        "0.250  right  5",
        "0.500  ?      (none)",
        "sc    5 (right); votes: 5 1.00",
        "asc   5 (right); votes: 5 1.25",
    ):
        assert part in shown
