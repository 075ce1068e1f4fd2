"""Votes among a model's own samples, with a ranker of what its training run left behind.

    .venv/bin/python bench/asc_own.py ../shared/data/svamp/svamp.jsonl --runs runs/svamp-0 runs/svamp-1 \
        --samples 8 --out runs/asc
    .venv/bin/python bench/asc_own.py ../shared/data/bbh/object_counting.json --samples 16 --sizes 2 4 8 16 --fresh \
        --out runs/asc-nugget

``aurify train`` writes every rationale that it draws into the run's table, right and wrong. For each run (without
``--runs`` short ones of the nugget, one a seed, which leave it with errors to vote on): a fast ranker learns from those
rationales, at no cost in samples; the run's model draws ``--samples`` rationales of each held-out question ``--draws``
times (kept in ``--out``, one folder each), and the votes of every size are held on these. The ranker "alone" looks at
one rationale, "among rivals" also at the question's other samples, as many as it is given in the vote (fewer where the
run drew fewer). With ``--fresh`` there is a third one that looks at one rationale: it learns from samples of the
finished model on the questions that it was trained on. ``logprob`` needs no ranker: how likely the model itself found
each sample.

A question's pools and runs are averaged; differences are paired by question, with 95 % bootstrap intervals over
questions. Needs the extra "rank" (scikit-learn).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from asc_math_teacher import Scores, credits
from numpy.typing import NDArray
from real_models import greedy

from aurify import train
from aurify.answers import Grader
from aurify.collecting.run import run_sample
from aurify.collecting.settings import SampleSettings
from aurify.questions import Question, load_questions
from aurify.rationales import Rationale, read_rationales
from aurify.settings import resolve
from aurify.statistics import bootstrap_means
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.gather import pools_of
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.stopping import spend
from aurify.voting.votes import credit, vote

ALONE, RIVALS, FRESH = "alone", "among rivals", "alone, of fresh samples"
VOTES = (("weighted sum", "ws", 1.0), ("adaptive, lambda 1", "asc", 1.0), ("adaptive, lambda 2", "asc", 2.0),
         ("best of n", "best", 1.0))  # fmt: skip
SINGLE, PLAIN, LIKELY, ORACLE = "single sample", "self-consistency", "by rank of log p", "oracle"

Row = tuple[str, str]
"""A vote and its ranker."""
Found = dict[Row, dict[str, list[float]]]
"""Of each row, by question id, the credit of every pool."""
Spent = dict[tuple[str, str], dict[str, list[tuple[int, float]]]]
"""Of each stopping rule and vote, by question id, the samples spent on every pool and its credit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the question file of the runs")
    parser.add_argument("--runs", type=Path, nargs="+", help="finished runs of one model on this file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the nugget's runs")
    parser.add_argument("--steps", type=int, default=20, help="of the nugget's runs")
    parser.add_argument("--fresh", action="store_true", help="also a ranker of fresh samples")
    parser.add_argument("--samples", type=int, default=8, help="a held-out question and draw")
    parser.add_argument("--draws", type=int, default=1, help="each with a seed and a folder of its own")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 4, 8], help="of the pools that vote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    votes: dict[int, Found] = {size: defaultdict(lambda: defaultdict(list)) for size in args.sizes}
    judged: dict[str, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = defaultdict(list)
    spent: Spent = defaultdict(lambda: defaultdict(list))
    for run in args.runs or [trained(args, seed) for seed in args.seeds]:
        learned, held, fresh = pools(args, run)
        print(f"{run}: {len(learned)} questions to learn from, {len(held)} held out", file=sys.stderr, flush=True)
        alone = {ALONE: FastRanker.train(learned, seed=0, alone=True, words=True)}
        if fresh:
            alone[FRESH] = FastRanker.train(fresh, seed=0, alone=True, words=True)
        for size in args.sizes:
            cut = [part for pool in held for part in pool.runs(size)]
            smaller = [part for pool in learned for part in pool.runs(size) or [pool]]
            among = FastRanker.train(smaller, seed=0, alone=False, words=True)
            scores = {name: ranker.scores(cut) for name, ranker in {**alone, RIVALS: among}.items()}
            hold(cut, scores, votes[size])
            if size == max(args.sizes):
                right = [np.array([bool(c.right) for c in pool.candidates]) for pool in cut]
                for name, found in scores.items():
                    judged[name] += list(zip(found, right, strict=True))
                stop(cut, scores[ALONE], spent)
    print("# Votes among a model's own samples\n")
    print(f"    .venv/bin/python {' '.join(sys.argv)}\n")
    for size in args.sizes:
        table(size, votes[size])
    quality(judged)
    print(f"\n| at most {max(args.sizes)} samples | vote | mean samples | accuracy |\n| --- | --- | ---: | ---: |")
    for (rule, kind), of in spent.items():
        n, accuracy = np.mean([np.mean(pairs, axis=0) for pairs in of.values()], axis=0)
        print(f"| {rule} | {kind} | {n:.2f} | {100 * accuracy:.1f} |")


def trained(args: argparse.Namespace, seed: int) -> Path:
    """A short TRICE run of the nugget."""
    out = args.out / f"run-{seed}"
    return train("trice", model="nugget", data=str(args.data), seed=seed, steps=args.steps, out=str(out)).out


def pools(args: argparse.Namespace, run: Path) -> tuple[list[CandidatePool], list[CandidatePool], list[CandidatePool]]:
    """Of the questions that the run trained on what it left behind; of the held-out ones fresh samples; with
    ``--fresh`` also of the former."""
    questions, ids = load_questions(args.data), set(greedy(run)[0])
    held = [question for question in questions if question.id in ids]
    others = [question for question in questions if question.id not in ids] if args.fresh else []
    drawn: list[Rationale] = []
    for draw in range(args.draws):
        drawn += sampled(args, run, held, draw, f"{run.name}-draw-{draw}")
    own = [row for row in read_rationales(run) if row.source == "self" and row.move != "suffix"]
    fresh = sampled(args, run, others, 0, f"{run.name}-trained") if others else []
    with Grader() as grader:
        return grouped(own, questions, grader), grouped(drawn, held, grader), grouped(fresh, others, grader)


def sampled(args: argparse.Namespace, run: Path, questions: list[Question], seed: int, name: str) -> list[Rationale]:
    """Samples of the run's model, in a folder of this name."""
    out = args.out / name
    asked = {"model": str(run / "model"), "data": str(args.data), "samples": args.samples, "seed": seed}
    run_sample(resolve(SampleSettings, {**asked, "out": str(out)}), questions=questions)
    return read_rationales(out)


def grouped(rows: Sequence[Rationale], questions: Sequence[Question], grader: Grader) -> list[CandidatePool]:
    """Their pools, of those that were judged."""
    return pools_of([row for row in rows if row.verdict is not None], questions, grader)


def hold(cut: Sequence[CandidatePool], scores: Mapping[str, Scores], found: Found) -> None:
    """Every vote on every pool."""
    right = [np.array([bool(c.right) for c in pool.candidates]) for pool in cut]
    likely = [np.array(pool.logprob_scores) for pool in cut]
    columns: dict[Row, Sequence[float]] = {
        (SINGLE, ""): [float(row.mean()) for row in right],
        (PLAIN, ""): credits(cut, None, "sc").tolist(),
        (LIKELY, ""): credits(cut, likely, "ws").tolist(),
    }
    for name, own in scores.items():
        for label, kind, weight in VOTES:
            columns[label, name] = credits(cut, own, kind, weight).tolist()
    columns[ORACLE, ""] = [float(row.any()) for row in right]
    for row, values in columns.items():
        for pool, value in zip(cut, values, strict=True):
            found[row][pool.question_id].append(value)


def table(size: int, found: Found) -> None:
    """The votes at one size."""
    means = {row: np.array([np.mean(of[id]) for id in sorted(of)]) for row, of in found.items()}
    plain = means[PLAIN, ""]
    print(f"| n = {size}, {len(plain)} questions | ranker | accuracy | over self-consistency (points, 95 %) |")
    print("| --- | --- | ---: | ---: |")
    for (label, name), values in means.items():
        low, high = bootstrap_means((values - plain)[:, None], 0)
        gain = f"{100 * (values - plain).mean():+.1f} ({100 * low[0]:+.1f} to {100 * high[0]:+.1f})"
        gain = "" if label == PLAIN else gain
        print(f"| {label} | {name} | {100 * values.mean():.1f} | {gain} |")
    print(flush=True)


def quality(judged: Mapping[str, Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]]) -> None:
    """How well the rankers tell right from wrong."""
    print("| ranker | pair accuracy | AUC | calibration error |\n| --- | ---: | ---: | ---: |")
    for name, rows in judged.items():
        scores, right = [row[0] for row in rows], [row[1] for row in rows]
        flat, truth = np.concatenate(scores), np.concatenate(right)
        print(
            f"| {name} | {100 * pair_accuracies(scores, right).mean():.1f} | {area_under_curve(flat, truth):.3f} "
            f"| {calibration_error(flat, truth):.3f} |"
        )


def stop(cut: Sequence[CandidatePool], scores: Scores, spent: Spent) -> None:
    """Sample every pool until a rule says stop, and vote."""
    for pool, own in zip(cut, scores, strict=True):
        groups, values, right = pool.groups, own.tolist(), right_groups(pool)
        for kind in ("sc", "asc"):
            rules = {f"always {n}": n for n in (1, 2, 4, len(groups)) if n <= len(groups)}
            rules["until certain"] = spend(groups, values, rule="certain", kind=kind).samples
            for sure in (0.8, 0.9, 0.95):
                rules[f"Beta at {sure:g}"] = spend(groups, values, rule="beta", threshold=sure, kind=kind).samples
            for name, n in rules.items():
                ballot = vote(groups[:n], values[:n] if kind == "asc" else None, kind=kind)
                spent[name, kind][pool.question_id].append((n, credit(ballot, right)))


if __name__ == "__main__":
    main()
