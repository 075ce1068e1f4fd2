"""Adaptive self-consistency on the nugget's own samples after TRICE, with a ranker of its right and wrong rationales.

    .venv/bin/python bench/asc_nugget.py ../shared/data/bbh/object_counting.json [--run RUN ...] [--seeds 0 1 2]

For each seed: a TRICE run (``--run`` takes finished ones instead, one a seed); fresh samples of the trained model on
the questions that it was trained on, which train the ranker; fresh samples on the held-out questions, which judge it.
So the ranker sees samples of the model that is deployed, and never a held-out question. A second ranker is trained on
what the run left behind anyway, the rationales of its last half, at no cost. Expected: adaptive self-consistency above
self-consistency, with a paired interval over all held-out questions of all seeds that excludes zero.

Needs the extra "rank" (scikit-learn).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from aurify.answers import Grader
from aurify.questions import load_questions
from aurify.rationales import Rationale, read_rationales
from aurify.statistics import bootstrap_means
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.gather import pools_of
from aurify.voting.measures import pair_accuracies
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.splits import normalised
from aurify.voting.votes import VoteKind, credit, vote

VOTES: tuple[tuple[str, VoteKind, float], ...] = (
    ("self-consistency", "sc", 1.0),
    ("weighted sum", "ws", 1.0),
    ("adaptive, lambda 1", "asc", 1.0),
    ("adaptive, lambda 2", "asc", 2.0),
    ("best of n", "best", 1.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the question file of the runs, such as BBH's object_counting.json")
    parser.add_argument(
        "--run", type=Path, nargs="+", default=[], help="finished runs, one a seed, instead of new ones"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=20, help="of TRICE; few leave the model with errors to vote on")
    parser.add_argument("--samples", type=int, default=16, help="a question, to train on and to vote on")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 4, 8, 16])
    args = parser.parse_args()
    sizes = [size for size in args.sizes if size <= args.samples]
    credits: dict[tuple[int, str, str], list[float]] = {}
    accuracies: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for place, seed in enumerate(args.seeds[: len(args.run)] if args.run else args.seeds):
            run = args.run[place] if args.run else train(args.data, Path(scratch) / f"run-{seed}", seed, args.steps)
            held_ids = {rationale.question_id for rationale in read_rationales(run / "held_out")}
            questions = load_questions(args.data)
            train_side = [question for question in questions if question.id not in held_ids]
            held = [question for question in questions if question.id in held_ids]
            overlap = {normalised(q.text) for q in train_side} & {normalised(q.text) for q in held}
            held = [question for question in held if normalised(question.text) not in overlap]
            drawn = sample(run, args.data, Path(scratch) / f"samples-{seed}", seed, args.samples)
            with Grader() as grader:
                test = pools_of(drawn, held, grader)
                own = pools_of(drawn, train_side, grader)
                left = pools_of(leftovers(run), train_side, grader)
            for name, pools in (("fresh samples", own), ("the run's leftovers", left)):
                study(name, pools, test, sizes, seed, credits, accuracies)
            print(f"seed {seed}: {len(test)} held-out questions", file=sys.stderr, flush=True)
    report(args, sizes, credits, accuracies)


def train(data: Path, out: Path, seed: int, steps: int) -> Path:
    """A short TRICE run of the nugget."""
    aurify("train", "trice", "--model", "nugget", "--data", data, "--seed", seed, "--steps", steps, "--out", out)
    return out


def sample(run: Path, data: Path, out: Path, seed: int, samples: int) -> list[Rationale]:
    """Fresh samples of the run's model on all questions of the file."""
    aurify("sample", "--model", run / "model", "--data", data, "--samples", samples, "--seed", seed, "--out", out)
    return read_rationales(out)


def leftovers(run: Path) -> list[Rationale]:
    """The model's own rationales of the run's last half."""
    rows = [row for row in read_rationales(run) if row.source == "self" and row.verdict is not None]
    middle = max(row.step for row in rows) // 2
    last = [row for row in rows if row.step > middle]
    return [replace(row, model="") for row in last]


def study(
    name: str,
    train_pools: list[CandidatePool],
    test: list[CandidatePool],
    sizes: list[int],
    seed: int,
    credits: dict[tuple[int, str, str], list[float]],
    accuracies: dict[str, list[float]],
) -> None:
    """Train a ranker that looks at candidates alone, and hold every vote on the held-out pools."""
    ranker = FastRanker.train(train_pools, seed=seed, alone=True, words=True)
    scores = ranker.scores(test)
    right = [np.array([bool(c.right) for c in pool.candidates]) for pool in test]
    accuracies.setdefault(name, []).extend(pair_accuracies(scores, right).tolist())
    for size in sizes:
        for pool, scores_S, right_S in zip(test, scores, right, strict=True):
            pieces = list(zip(pool.runs(size), np.split(scores_S, range(size, len(scores_S), size)), strict=False))
            for label, kind, weight in VOTES:
                found = [
                    credit(vote(piece.groups, own.tolist(), kind=kind, weight=weight), right_groups(piece))
                    for piece, own in pieces
                ]
                credits.setdefault((size, name, label), []).append(float(np.mean(found)))
            oracle = [any(c.right for c in piece.candidates) for piece, _ in pieces]
            credits.setdefault((size, name, "oracle"), []).append(float(np.mean(oracle)))
            credits.setdefault((size, name, "single sample"), []).append(float(right_S.mean()))


def report(
    args: argparse.Namespace,
    sizes: list[int],
    credits: dict[tuple[int, str, str], list[float]],
    accuracies: dict[str, list[float]],
) -> None:
    """The tables."""
    print("# Adaptive self-consistency on the nugget's own samples\n")
    print(f"    .venv/bin/python {' '.join(sys.argv)}\n")
    print("| ranker trained on | pair accuracy |\n| --- | ---: |")
    for name, found in accuracies.items():
        print(f"| {name} | {100 * np.mean(found):.1f} |")
    print("\n| n | vote | ranker trained on | accuracy | over self-consistency (points) |")
    print("| ---: | --- | --- | ---: | ---: |")
    for size in sizes:
        for name in accuracies:
            plain = np.array(credits[size, name, "self-consistency"])
            for label in ("single sample", *(label for label, _, _ in VOTES), "oracle"):
                values = np.array(credits[size, name, label])
                low, high = bootstrap_means((values - plain)[:, None], 0)
                gain = f"{100 * (values - plain).mean():+.2f} ({100 * low[0]:+.2f} to {100 * high[0]:+.2f})"
                print(f"| {size} | {label} | {name} | {100 * values.mean():.2f} | {gain} |")


def aurify(*words: object) -> None:
    """The command line, which must succeed."""
    subprocess.run([sys.executable, "-m", "aurify", *map(str, words)], check=True, capture_output=True)


if __name__ == "__main__":
    main()
