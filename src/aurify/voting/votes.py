"""Votes among the sampled answers of one question: pure functions of groups and scores.

Self-consistency (X. Wang et al. 2022, arXiv:2203.11171) counts; the weighted sum adds the ranker's scores; adaptive
self-consistency (Y. Li et al. 2023, arXiv:2312.12832, the code's ``1 + w s``) lets the scores move the counts:

    sc    v(a) = sum_i [a_i = a]
    ws    v(a) = sum_i [a_i = a] s_i
    asc   v(a) = sum_i [a_i = a] (1 + lambda s_i)
    best  v(a) = max_i [a_i = a] s_i

``logprob`` is ``ws`` with scores that need no ranker (``logprob_scores``): how likely the model itself found each
sample. Answers are equal where they are of one group; an unparsable one (group None) has no vote and never wins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

RankerVote = Literal["sc", "ws", "asc", "best"]
VoteKind = Literal["sc", "ws", "asc", "best", "logprob"]
VOTES: tuple[RankerVote, ...] = get_args(RankerVote)
"""The votes that a ranker's scores decide, and the one that needs none."""

TOLERANCE = 1e-9
"""Votes nearer to the largest than this, relative to it, tie with it: float sums of equal terms may differ so much."""


@dataclass(frozen=True)
class Ballot:
    """The outcome of one vote."""

    votes: tuple[float, ...]
    """What each group got, by its number."""
    leaders: tuple[int, ...]
    """The groups that got most, the winner first; none where nobody voted."""
    winner: int | None
    """The group that is answered."""
    confidence: float
    """The winner's share of all votes, before ties are broken; 0 where nobody voted."""
    chosen: int | None
    """The candidate whose rationale stands for the winner: its best-scored, or first, member."""


def vote(
    groups: Sequence[int | None],
    scores: Sequence[float | None] | None = None,
    *,
    kind: VoteKind = "sc",
    weight: float = 1.0,
) -> Ballot:
    """Count one question's votes.

    Where several groups lead, the winner is the one whose members' scores sum to more; where these are equal too, or
    there are none, the one that was drawn first.

    Args:
        groups: the candidates' groups of equivalent answers [S], numbered from 0; None is unparsable.
        scores: the ranker's scores [S], from 0 to 1. A missing one (None) counts as the mean of the others, 1 where
            there are none, as in the paper's code. ``sc`` uses them to break ties alone.
        weight: lambda of ``asc``; the paper's code has 1 and 2.

    Raises:
        ValueError: scores that do not match the groups, are not in [0, 1], or are missing where the vote needs them;
            a negative or infinite weight.
    """
    if not math.isfinite(weight) or weight < 0:
        raise ValueError(f"weight {weight}: expected a finite number, 0 or more")
    if scores is None and kind != "sc":
        raise ValueError(f"the vote '{kind}' needs scores")
    filled_S = fill_scores(scores, len(groups)) if scores is not None else [0.0] * len(groups)
    members = _members(groups)
    votes = tuple(_votes(kind, weight, [filled_S[i] for i in indices]) for indices in members)
    voted_for = [group for group, indices in enumerate(members) if indices]
    most = max((votes[group] for group in voted_for), default=0.0)
    leaders = [group for group in voted_for if votes[group] >= most - TOLERANCE * max(1.0, most)]
    leaders.sort(key=lambda group: (-round(sum(filled_S[i] for i in members[group]), 12), members[group][0]))
    if not leaders:
        return Ballot(votes, (), None, 0.0, None)
    winner, total = leaders[0], sum(votes)
    chosen = max(members[winner], key=lambda i: (filled_S[i], -i))
    return Ballot(votes, tuple(leaders), winner, votes[winner] / total if total else 1 / len(voted_for), chosen)


def logprob_scores(logprobs: Sequence[float | None], beta: float = 1.0) -> list[float | None]:
    """The scores [S], in (0, 1], that samples have by the rank of their log-probability among the question's samples.

    With u the share of samples that are at most as likely (ties at their mean rank), from 1/S to 1,

        s = exp(beta (f(u) - 1)),   f(u) = 1 - (1 - min(u / 0.75, 1))^2

    so the likelier quarter counts in full and the least likely least, near e^-beta. Only the order of the samples
    matters, not how far apart they are. A missing log-probability has no score, and no rank.

    Source: arXiv:2608.14420, whose weights are e^beta times these; a common factor changes no vote.
    """
    from scipy.stats import rankdata  # the command line starts without SciPy

    known = [value for value in logprobs if value is not None]
    if not known:
        return [None] * len(logprobs)
    ranks = iter((rankdata(known) / len(known)).tolist())
    shares = [None if value is None else next(ranks) for value in logprobs]
    return [None if share is None else math.exp(beta * ((1 - (1 - min(share / 0.75, 1)) ** 2) - 1)) for share in shares]


def credit(ballot: Ballot, right: Sequence[bool | None]) -> float:
    """How right a vote is: the share of the leading groups that is right, 0 where nobody voted.

    Args:
        right: whether each group is right, by its number; None, which nobody has judged, counts as wrong.
    """
    if not ballot.leaders:
        return 0.0
    return sum(bool(right[group]) for group in ballot.leaders) / len(ballot.leaders)


def fill_scores(scores: Sequence[float | None], count: int) -> list[float]:
    """The scores [S] with missing ones at the mean of the others; 1 where there are none.

    Raises:
        ValueError: not ``count`` scores, or one outside [0, 1].
    """
    if len(scores) != count:
        raise ValueError(f"{len(scores)} scores for {count} candidates")
    known = [score for score in scores if score is not None]
    for score in known:
        if not 0 <= score <= 1:  # not a number is refused too
            raise ValueError(f"score {score}: expected a number from 0 to 1")
    mean = sum(known) / len(known) if known else 1.0
    return [mean if score is None else float(score) for score in scores]


def _members(groups: Sequence[int | None]) -> list[list[int]]:
    """The candidates of each group, by its number."""
    members: list[list[int]] = [[] for _ in range(1 + max((g for g in groups if g is not None), default=-1))]
    for index, group in enumerate(groups):
        if group is not None:
            members[group].append(index)
    return members


def _votes(kind: VoteKind, weight: float, scores: Sequence[float]) -> float:
    """What a group gets for its members' scores."""
    if kind == "sc":
        return float(len(scores))
    if kind in ("ws", "logprob"):
        return sum(scores)
    if kind == "asc":
        return sum(1 + weight * score for score in scores)
    return max(scores, default=0.0)
