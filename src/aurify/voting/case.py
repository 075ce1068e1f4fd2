"""The case view: one question's candidates with their scores, what each vote says, and what the weighting changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from aurify.text import printable
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.votes import VOTES, Ballot, RankerVote, vote

Change = Literal["wrong to right", "right to wrong", "between wrong ones", "none", "unjudged"]


@dataclass(frozen=True)
class Case:
    """A question, its scores and the outcome of every vote."""

    pool: CandidatePool
    scores: tuple[float, ...]
    ballots: dict[RankerVote, Ballot]

    @property
    def change(self) -> Change:
        """What adaptive voting made of the majority's answer."""
        before, after = self.ballots["sc"].winner, self.ballots["asc"].winner
        if before == after or before is None or after is None:
            return "none"
        truth = right_groups(self.pool)
        if truth[before] is None or truth[after] is None:
            return "unjudged"
        if truth[after]:
            return "wrong to right"
        return "right to wrong" if truth[before] else "between wrong ones"


def case_of(pool: CandidatePool, scores: Sequence[float], weight: float = 1.0) -> Case:
    """Hold every vote. Self-consistency breaks its ties without the scores, by who was drawn first."""
    values = tuple(float(score) for score in scores)
    ballots = {kind: vote(pool.groups, None if kind == "sc" else values, kind=kind, weight=weight) for kind in VOTES}
    return Case(pool, values, ballots)


def lines(case: Case, width: int = 100) -> Iterator[str]:
    """The case for a terminal."""
    pool = case.pool
    yield f"question {printable(pool.question_id, 60)}: {printable(pool.question, width)}"
    truth = right_groups(pool)
    answers: dict[int, str] = {}
    for candidate, score in zip(pool.candidates, case.scores, strict=True):
        if candidate.group is not None:
            answers.setdefault(candidate.group, printable(candidate.answer or "", 24))
        verdict = {True: "right", False: "wrong", None: "?"}[candidate.right]
        answer = printable(candidate.answer, 24) if candidate.answer is not None else "(none)"
        yield f"  {score:.3f}  {verdict:<5}  {answer:<24}  {printable(candidate.text[-200:], width - 44)}"
    ranked = sorted(answers)
    for kind, ballot in case.ballots.items():
        ranked.sort(key=lambda group: -ballot.votes[group])
        shares = ", ".join(f"{answers[group]} {ballot.votes[group]:.2f}" for group in ranked)
        winner = "(no answer)" if ballot.winner is None else answers[ballot.winner]
        verdict = {True: " (right)", False: " (wrong)", None: ""}[
            None if ballot.winner is None else truth[ballot.winner]
        ]
        yield f"  {kind:<4}  {winner}{verdict}; votes: {shares or 'none'}"
    if case.change != "none":
        yield f"  adaptive voting changed the majority's answer: {case.change}"
