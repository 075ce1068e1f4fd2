"""From what became of each question to the accuracies of all of them, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurify.statistics.accuracy import Accuracy
from aurify.statistics.intervals import bootstrap_means
from aurify.voting.samples import NO_GROUP, majority_at_k, pass_at_k, sizes


@dataclass(frozen=True)
class Outcome:
    """What became of one question."""

    right: bool | None
    """Of the greedy rationale; None where none was drawn."""
    samples: tuple[bool, ...] = ()
    """Whether each of the pool's samples is right; none where one was left out, neither right nor wrong."""
    groups: tuple[int | None, ...] = ()
    """The samples' groups of equivalent answers (see ``aurify.answers.group_answers``)."""
    compared: bool = True
    """Whether its answers can be compared with one another, so that there is a majority."""
    votes: Mapping[str, float] = field(default_factory=dict)
    """The credit of other votes by name, such as ``asc@8``; every question's outcome has the same names."""


class Score(NamedTuple):
    """A mean over questions, as a fraction, with its 95 % interval."""

    accuracy: float
    low: float
    high: float


def score(outcomes: Sequence[Outcome], seed: int) -> dict[str, Score]:
    """The accuracies of a group of questions, each with the same number of samples.

    ``greedy``, where it was drawn, has a Wilson interval. With samples there are ``sampled`` (the mean share of right
    ones, p(y|x)), ``maj@k`` and ``pass@k`` of every size, and the outcomes' other votes, with bootstrap intervals over
    the questions, drawn with ``seed``.

    Raises:
        ValueError: there is no question.
    """
    if not outcomes:
        raise ValueError("no question to score")
    drawn = [outcome.right for outcome in outcomes if outcome.right is not None]
    greedy = Accuracy.of(drawn)
    scores = {"greedy": Score(greedy.value, greedy.low, greedy.high)} if drawn else {}
    outcomes = [outcome for outcome in outcomes if outcome.samples] or [o for o in outcomes if o.votes]
    if not outcomes:
        return scores
    right_QS = np.array([outcome.samples for outcome in outcomes], dtype=bool)
    samples = right_QS.shape[1]
    columns: dict[str, NDArray[np.float64]] = {}
    if samples:
        groups_QS = np.array([[NO_GROUP if g is None else g for g in outcome.groups] for outcome in outcomes])
        columns["sampled"] = right_QS.mean(axis=1)
        if any(outcome.compared for outcome in outcomes):
            columns |= {f"maj@{k}": majority_at_k(groups_QS, right_QS, k) for k in sizes(samples)}
        columns |= {f"pass@{k}": pass_at_k(samples, right_QS.sum(axis=1), k) for k in sizes(samples)}
    columns |= {name: np.array([outcome.votes[name] for outcome in outcomes]) for name in outcomes[0].votes}
    if not columns:
        return scores
    values_QM = np.stack(list(columns.values()), axis=1)
    low_M, high_M = bootstrap_means(values_QM, seed)
    triples = zip(values_QM.mean(axis=0).tolist(), low_M.tolist(), high_M.tolist(), strict=True)
    return scores | {name: Score(*triple) for name, triple in zip(columns, triples, strict=True)}
