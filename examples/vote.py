"""Adaptive self-consistency on one page: samples that are there, a ranker of rationales, and its votes.

    aurify train rloo --model nugget --data DATA --steps 5 --out runs/source     # or any other table of rationales
    python examples/vote.py DATA runs/source

Self-consistency (X. Wang et al. 2022, arXiv 2203.11171) counts equal answers. Adaptive self-consistency (Y. Li et al.
2023, arXiv 2312.12832) lets a ranker's scores s move the counts: a sample's vote is 1 + lambda s. On the command line:
``aurify rank``, then ``aurify vote`` or ``aurify evaluate --vote asc``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import numpy as np

from aurify import Question, load_questions
from aurify.answers import Grader
from aurify.rationales import Rationale, read_rationales
from aurify.rationales.judging import TableJudge
from aurify.voting import CandidatePool, credit, vote
from aurify.voting.calibration import calibrate
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.gather import pools_of, unaided
from aurify.voting.pool import right_groups
from aurify.voting.splits import split_pools


def votes(
    questions: Sequence[Question], rationales: Iterable[Rationale], *, samples: int = 5, weight: float = 1.0,
    seed: int = 0,
) -> dict[str, float]:  # fmt: skip
    """The accuracy of each vote among ``samples`` samples, on questions that the ranker has not seen."""
    # 1. Pools: each question's samples, judged, and their equivalent answers grouped (1/2 and 0.5 are one answer).
    #    What was drawn with the answer in the prompt is no sample to vote on.
    with Grader() as grader:
        known = unaided(TableJudge(questions, grader).judged(rationales), "the table", print)
        pools = pools_of(known, questions, grader)

    # 2. Questions apart: to train on, to calibrate on, and to vote on.
    train, rest = split_pools(pools, 0.5, seed)
    tuning, test = split_pools(rest, 0.5, seed + 1)

    def cut(pools: Sequence[CandidatePool]) -> list[CandidatePool]:
        return [run for pool in pools for run in (pool.runs(samples) or [pool])]

    # 3. The ranker learns to tell right from wrong samples of one question, and its scores to be probabilities.
    ranker = FastRanker.train(cut(train), seed=seed)
    right = np.array([bool(candidate.right) for pool in cut(tuning) for candidate in pool.candidates])
    calibrated = calibrate(np.concatenate(ranker.scores(cut(tuning))), right, "isotonic")

    # 4. The votes. Where several answers lead, a vote is as right as they are on average.
    found: dict[str, list[float]] = {"one sample": [], "self-consistency": [], "adaptive": [], "best of all": []}
    for pool, scores in zip(cut(test), ranker.scores(cut(test)), strict=True):
        believed = calibrated(scores).tolist()
        ballots = {
            "self-consistency": vote(pool.groups),
            "adaptive": vote(pool.groups, believed, kind="asc", weight=weight),
            "best of all": vote(pool.groups, believed, kind="best"),
        }
        found["one sample"].append(float(np.mean([bool(candidate.right) for candidate in pool.candidates])))
        for name, ballot in ballots.items():
            found[name].append(credit(ballot, right_groups(pool)))
    accuracies = {name: float(np.mean(credits)) for name, credits in found.items()}
    for name, accuracy in accuracies.items():
        print(f"{name:18} {accuracy:.1%} of {len(found[name])} pools")
    return accuracies


if __name__ == "__main__":
    votes(list(load_questions(sys.argv[1])), read_rationales(sys.argv[2]))
