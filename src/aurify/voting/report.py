"""What a ranker is worth on questions that it has not seen: pairs, curve, calibration, and votes against samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.statistics.intervals import bootstrap_means
from aurify.voting.kept_pools import in_chunks
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.ranker import Ranker
from aurify.voting.samples import sizes
from aurify.voting.splits import normalised
from aurify.voting.votes import VOTES, credit, vote

Floats = NDArray[np.float64]

_MEASURED = ("single", *VOTES, "oracle")
"""M: a single sample, each vote, and whether there is a right one at all."""


def measure_ranker(
    ranker: Ranker,
    pools: Sequence[CandidatePool],
    *,
    weight: float,
    seed: int,
    tell: Callable[[int, int], None] = lambda done, asked: None,
) -> dict[str, Any]:
    """The ranker's report on judged pools; accuracies are fractions, each with a 95 % bootstrap interval.

    ``votes`` has, for every size n (the powers of two up to the largest pool), the accuracy of a single sample, of the
    four votes and of the oracle, over all questions with n samples, each question's pool cut into runs of n;
    ``over_sc`` is the paired difference to self-consistency.

    ``tell`` is told how many pools are done, of how many.
    """
    every = sizes(max((len(pool.candidates) for pool in pools), default=0))
    questions: set[str] = set()
    scores: list[Floats] = []
    right: list[NDArray[np.bool_]] = []
    credits: dict[int, list[Floats]] = {size: [] for size in every}
    done = 0
    for some in in_chunks(pools):
        tell(done, len(pools))
        scored = ranker.runs_of(some)
        done += len(some)
        questions |= {normalised(pool.question) for pool in some}
        scores += scored(some)
        right += [np.array([bool(candidate.right) for candidate in pool.candidates], dtype=bool) for pool in some]
        for size, rows in credits.items():
            rows += _credits_of(scored, [pool for pool in some if len(pool.candidates) >= size], size, weight)
    pairs = pair_accuracies(scores, right)
    flat_scores = np.concatenate([np.zeros(0), *scores])
    flat_right = np.concatenate([np.zeros(0, bool), *right])
    found: dict[str, Any] = {
        "questions": len(questions),
        "rationales": len(flat_right),
        "auc": area_under_curve(flat_scores, flat_right),
        "calibration_error": calibration_error(flat_scores, flat_right),
        "votes": {str(size): _accuracies(np.array(rows), seed) for size, rows in credits.items()},
    }
    if len(pairs):
        low, high = bootstrap_means(pairs[:, None], seed)
        found["pair_accuracy"] = {"accuracy": float(pairs.mean()), "low": float(low[0]), "high": float(high[0])}
    return found


def _accuracies(credits_QM: Floats, seed: int) -> dict[str, Any]:
    """Every vote's accuracy at one pool size, and its paired difference to self-consistency."""
    plain = _MEASURED.index("sc")
    both_QM = np.concatenate([credits_QM, credits_QM - credits_QM[:, [plain]]], axis=1)
    least_M = np.repeat([0.0, -1.0], len(_MEASURED))  # of an accuracy, and of a difference of two
    low, high = bootstrap_means(both_QM, seed, least=least_M)
    mean = both_QM.mean(axis=0)

    def score(i: int, word: str) -> dict[str, float]:
        return {word: float(mean[i]), "low": float(low[i]), "high": float(high[i])}

    return {
        "questions": len(credits_QM),
        **{name: score(i, "accuracy") for i, name in enumerate(_MEASURED)},
        "over_sc": {name: score(len(_MEASURED) + i, "gain") for i, name in enumerate(_MEASURED) if name in VOTES[1:]},
    }


def _credits_of(
    scored: Callable[[Sequence[CandidatePool]], list[Floats]], pools: Sequence[CandidatePool], size: int, weight: float
) -> list[Floats]:
    """The mean credits [M] of each pool's runs of one size; ``scored`` gives the scores of runs of these pools."""
    cut = [pool.runs(size) for pool in pools]
    scores = iter(scored([run for runs in cut for run in runs]))
    return [np.mean([_credits(run, next(scores), weight) for run in runs], axis=0) for runs in cut]


def _credits(pool: CandidatePool, scores: Floats, weight: float) -> list[float]:
    """The credit of what is measured, in that order."""
    truth = right_groups(pool)
    right = [bool(candidate.right) for candidate in pool.candidates]
    found = [sum(right) / len(right)]
    for kind in VOTES:
        given = scores.tolist() if kind != "sc" else None
        found.append(credit(vote(pool.groups, given, kind=kind, weight=weight), truth))
    return [*found, float(any(right))]
