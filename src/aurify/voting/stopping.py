"""When to stop sampling a question: the vote cannot change any more, or is sure enough (adaptive consistency).

Sources: P. Aggarwal et al. (2023), Let's sample step by step: adaptive-consistency for efficient reasoning with LLMs,
arXiv:2305.11860 (the Beta rule); the ``certain`` rule is plain arithmetic: the lead exceeds what is left to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aurify.voting.votes import VoteKind, vote

StopRule = Literal["never", "certain", "beta"]


@dataclass(frozen=True)
class Stopped:
    """How far a question was sampled before its rule said stop."""

    samples: int
    surely: bool
    """Whether the rule stopped it, not the end of the budget."""


def beta_confidence(first: int, second: int) -> float:
    """P(p > 1/2) of a share p with a uniform prior after ``first`` votes for one answer and ``second`` against it.

    The posterior is Beta(first + 1, second + 1); this is the probability of its upper half.

    Raises:
        ValueError: a negative count.
    """
    from scipy.special import betainc  # the command line starts without SciPy

    if first < 0 or second < 0:
        raise ValueError(f"counts {first}, {second}: expected 0 or more")
    return float(betainc(second + 1, first + 1, 0.5))


def cannot_change(votes: Sequence[float], left: int, most: float) -> bool:
    """Whether the leader stays ahead whatever the ``left`` samples still to draw say.

    Args:
        votes: what each answer has got so far.
        most: the largest weight of one vote (1 for self-consistency, 1 + lambda for adaptive self-consistency).
    """
    if left <= 0:
        return True
    ranked = sorted(votes, reverse=True)
    if not ranked:
        return False
    rival = ranked[1] if len(ranked) > 1 else 0.0
    return ranked[0] - rival > left * most


def spend(
    groups: Sequence[int | None],
    scores: Sequence[float | None] | None = None,
    *,
    rule: StopRule = "beta",
    threshold: float = 0.95,
    kind: VoteKind = "sc",
    weight: float = 1.0,
    least: int = 2,
) -> Stopped:
    """How many of a question's samples, taken in order, the rule asks for.

    ``beta`` looks at the votes of the two leading answers and stops at ``threshold`` confidence; weighted votes are
    scaled to the number of samples with an answer, so that sure scores count more and the evidence is not larger than
    it is. ``certain`` stops when the rest cannot change the winner, so its answer is always that of all samples; it is
    not for ``best``, whose last sample can always win.

    Args:
        groups: as in ``votes.vote``, as are ``kind`` and ``weight``.
        scores: as in ``votes.vote``. They may depend on their own candidate alone: those of a ranker that looks at the
            whole pool would look ahead.
        least: never stop before that many.

    Raises:
        ValueError: ``certain`` with ``best``; a threshold outside (0.5, 1); no sample asked for.
    """
    if rule == "certain" and kind == "best":
        raise ValueError("the rule 'certain' is not for the vote 'best'")
    if not 0.5 < threshold < 1:
        raise ValueError(f"threshold {threshold}: expected a number between 0.5 and 1")
    if least < 1:
        raise ValueError(f"least {least}: expected 1 or more")
    total = len(groups)
    for drawn in range(least, total):
        drawn_scores = None if scores is None else scores[:drawn]
        if stops(groups[:drawn], drawn_scores, total - drawn, rule=rule, threshold=threshold, kind=kind, weight=weight):
            return Stopped(drawn, True)
    return Stopped(total, False)


def stops(
    groups: Sequence[int | None],
    scores: Sequence[float | None] | None,
    left: int,
    *,
    rule: StopRule,
    threshold: float,
    kind: VoteKind,
    weight: float,
) -> bool:
    """Whether the rule stops after these samples, where ``left`` more could be drawn; arguments as for ``spend``."""
    if rule == "never":
        return False
    votes = vote(list(groups), scores, kind=kind, weight=weight).votes
    if rule == "certain":
        most = 1.0 + weight if kind == "asc" else 1.0
        return cannot_change(votes, left, most)
    return _sure(votes, sum(group is not None for group in groups), threshold)


def _sure(votes: Sequence[float], answered: int, threshold: float) -> bool:
    total = sum(votes)
    if not total:
        return False
    ranked = sorted(votes, reverse=True)
    scale = answered / total
    first = round(ranked[0] * scale)
    second = round((ranked[1] if len(ranked) > 1 else 0.0) * scale)
    return beta_confidence(first, second) >= threshold
