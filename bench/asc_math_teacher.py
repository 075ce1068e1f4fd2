"""Adaptive self-consistency on real samples: 7,500 MATH problems, 8 rationales each by gpt-3.5-turbo and by gpt-4.

    .venv/bin/python bench/asc_math_teacher.py ../shared/data/math_teacher > bench/results/asc_math_teacher.md

Everything is cross-fitted: the questions are cut into 5 folds by a hash of their text, and the candidates of a fold are
scored by a ranker that was trained on the other four. Two fast rankers: "alone" looks at question and rationale, as
the paper's does; "among rivals" also at how far the question's other samples support a candidate. Differences are
paired by question, intervals are 95 % bootstrap over questions. Expected: adaptive self-consistency above
self-consistency on both teachers with an interval that excludes zero. Needs the extra "rank" (scikit-learn).

Two answers are equal where their values are (plain numbers), or their writing is, or, if both have the same letters and
digits, where math-verify says so. A sample is right where the data's label says so, where its value equals the gold
one, or where it is equal to a sample that is right.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aurify.answers import Grader, latex
from aurify.answers.reading import Unreadable
from aurify.rationales.arithmetic import value_of_arithmetic
from aurify.statistics import bootstrap_means
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.features import ALONE_COLUMNS
from aurify.voting.inputs import Inputs
from aurify.voting.measures import area_under_curve, calibration_error, pair_accuracies
from aurify.voting.pool import Candidate, CandidatePool, right_groups
from aurify.voting.splits import fold_of
from aurify.voting.stopping import spend
from aurify.voting.votes import credit, vote

TEACHERS = ("gpt-3.5-turbo", "gpt-4")
FOLDS = 5
SIZES = (2, 4, 8)
WEIGHTS = (1.0, 2.0, 5.0)
COLUMNS = {"answer's form": "answer", "shape of the text": "log_", "arithmetic": "sum"}
"""Weak rankers for the correlation, by what the names of their features hold."""

Scores = list[np.ndarray]
Point = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of gpt-3.5-turbo.jsonl.gz and gpt-4.jsonl.gz")
    parser.add_argument("--problems", type=int, default=None, help="how many problems, evenly spread [all]")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "aurify-asc-math")
    parser.add_argument("--words", action="store_true", help="with the linear model of words (slow)")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    print("# Adaptive self-consistency on MATH, both teachers\n")
    print(f"    .venv/bin/python {' '.join(sys.argv)}\n")
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    means: dict[tuple[str, str], tuple[float, float]] = {}
    for teacher in TEACHERS:
        pools = load(args.folder / f"{teacher}.jsonl.gz", args.cache, args.problems)
        for name, found in study(teacher, pools, args.words).items():
            means[teacher, name], points[teacher, name] = found
    print("## Ranker accuracy and the gain of adaptive voting\n")
    accuracies, gains = np.array([point for found in points.values() for point in found]).T
    print(
        f"Pearson's correlation of pair accuracy with the gain over self-consistency (lambda 1, n = 8), over "
        f"{len(gains)} rankers and folds, each fold's gain measured on its own questions: "
        f"{np.corrcoef(accuracies, gains)[0, 1]:.2f}\n"
    )
    for teacher in TEACHERS:
        for label, kept in (("all rankers", ""), ("those that look at candidates alone", "rivals")):
            pairs = [pair for (by, name), pair in means.items() if by == teacher and not (kept and kept in name)]
            print(f"- over the rows of {teacher}'s table, {label}: {np.corrcoef(np.array(pairs).T)[0, 1]:.2f}")
    print(f"\n{time.perf_counter() - begun:.0f} seconds in all", flush=True)


def load(path: Path, cache: Path, problems: int | None) -> list[CandidatePool]:
    """The problems with their samples, answers grouped and judged."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    kept = cache / f"{path.name}.groups.json"
    if kept.exists():
        known = json.loads(kept.read_text(encoding="utf-8"))
    else:
        with Grader(timeout=3.0) as grader:
            known = {row["id"]: judged(row, grader) for row in rows}
        kept.write_text(json.dumps(known), encoding="utf-8")
    if problems:
        rows = rows[:: max(1, len(rows) // problems)]
    return [pool(row, *known[row["id"]]) for row in rows]


def judged(row: dict, grader: Grader) -> tuple[list[int | None], list[bool]]:
    """The group of every sample, and whether each group equals the gold answer."""
    firsts: list[str] = []
    groups: list[int | None] = []
    for sample in row["samples"]:
        answer = sample["predicted_answer"]
        if answer is None or not answer.strip() or len(answer) > 400:
            groups.append(None)
            continue
        group = next((i for i, first in enumerate(firsts) if same(answer, first, grader)), len(firsts))
        if group == len(firsts):
            firsts.append(answer)
        groups.append(group)
    return groups, [bool(row["answer"]) and same(first, row["answer"], grader) for first in firsts]


def same(ours: str, theirs: str, grader: Grader) -> bool:
    """Whether two answers are equal: by value, by writing, or, of the same letters and digits, by math-verify."""
    if ours == theirs:
        return True
    values = [value_of_arithmetic(re.sub(r"\\%|\^\\circ|\\\$", "", answer)) for answer in (ours, theirs)]
    if values[0] is not None and values[1] is not None:
        return math.isclose(values[0], values[1], rel_tol=1e-9, abs_tol=1e-12)
    try:
        ours, theirs = latex.tidy(ours), latex.tidy(theirs)
    except Unreadable:
        return False
    written = latex.compare_written(ours, theirs)
    if written is not None:
        return bool(written)
    return letters(ours) == letters(theirs) and grader.same(ours, theirs, "math")


def letters(answer: str) -> list[str]:
    """An answer's letters and digits, sorted, without those of commands."""
    return sorted(re.sub(r"\\[a-zA-Z]+|[^A-Za-z0-9]", "", answer))


def pool(row: dict, groups: Sequence[int | None], gold: Sequence[bool]) -> CandidatePool:
    """A problem's samples; all of a group are right if one is."""
    right = {group for group, equal in enumerate(gold) if equal}
    pairs = list(zip(row["samples"], groups, strict=True))
    right |= {group for sample, group in pairs if sample["correct"] or sample.get("value_equal")} - {None}
    candidates = tuple(
        Candidate(sample["rationale"], sample["predicted_answer"], group, group in right) for sample, group in pairs
    )
    return CandidatePool(row["id"], row["problem"], candidates, row["subject"], row["level"])


def study(teacher: str, pools: list[CandidatePool], words: bool) -> dict[str, tuple[Point, list[Point]]]:
    """Print one teacher's tables; (pair accuracy, gain) of every ranker, over all folds and of each."""
    say(f"{teacher}: {len(pools)} problems")
    full = Inputs.of(pools, alone=False, words=words)
    say("features are read")
    alone = cross_fit(full.columns(range(len(ALONE_COLUMNS))), alone=True)
    say("the ranker that looks at candidates alone is trained")
    print(f"## {teacher}: {len(pools)} problems, 8 samples each\n")
    together: dict[int, Scores] = {}
    tables = []
    for size in SIZES:
        runs = [run for one in pools for run in one.runs(size)]
        parts = 8 // size
        read = full if size == 8 else Inputs.of(runs, alone=False, words=False)
        if size != 8:
            read = replace(read, words=full.words)
        together[size] = cross_fit(read, alone=False)
        apart = [piece for scores in alone for piece in np.split(scores, parts)]
        tables.append(table(runs, {"alone": apart, "among rivals": together[size]}, size))
        say(f"n = {size} is done")
    print("| n | vote | ranker | accuracy | over self-consistency (points) |\n| ---: | --- | --- | ---: | ---: |")
    print("\n".join(row for rows in tables for row in rows) + "\n")
    rankers = {"alone": alone, "among rivals": together[8]}
    print("| ranker | pair accuracy | AUC | calibration error |\n| --- | ---: | ---: | ---: |")
    right = [np.array([bool(c.right) for c in one.candidates]) for one in pools]
    for name, scores in rankers.items():
        flat, truth = np.concatenate(scores), np.concatenate(right)
        pairs = 100 * pair_accuracies(scores, right).mean()
        print(f"| {name} | {pairs:.1f} | {area_under_curve(flat, truth):.3f} | {calibration_error(flat, truth):.3f} |")
    print()
    by_subject(pools, rankers)
    sampling(pools, alone)
    return correlation(teacher, pools, full, rankers)


def cross_fit(inputs: Inputs, alone: bool, questions: int | None = None, rounds: int = 200) -> Scores:
    """Every pool's scores, by a ranker that was trained on the other folds (or on some pools of them)."""
    folds = np.array([fold_of(one, FOLDS, 0) for one in inputs.questions])
    scores: list[np.ndarray | None] = [None] * len(inputs.questions)
    for fold in range(FOLDS):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if questions:
            train = np.random.default_rng(fold).permutation(train)[:questions]
        ranker = FastRanker.train_on(inputs.take(train), alone=alone, rounds=rounds)
        for place, found in zip(test, ranker.scores_of(inputs.take(test)), strict=True):
            scores[place] = found
    return [one for one in scores if one is not None]


def credits(pools: Sequence[CandidatePool], scores: Scores | None, kind: str, weight: float = 1.0) -> np.ndarray:
    """The credit of the vote on every pool."""
    given = scores if scores is not None else [None] * len(pools)
    return np.array(
        [
            credit(vote(one.groups, None if s is None else s.tolist(), kind=kind, weight=weight), right_groups(one))
            for one, s in zip(pools, given, strict=True)
        ]
    )


def table(runs: list[CandidatePool], rankers: dict[str, Scores], size: int) -> list[str]:
    """The votes at one pool size; a question's runs are averaged."""
    right = [np.array([bool(c.right) for c in run.candidates]) for run in runs]
    plain = by_question(credits(runs, None, "sc"), size)
    columns = [
        ("single sample", "", by_question(np.array([r.mean() for r in right]), size)),
        ("self-consistency", "", plain),
    ]
    for name, scores in rankers.items():
        columns.append(("weighted sum", name, by_question(credits(runs, scores, "ws"), size)))
        columns += [
            (f"adaptive, lambda {weight:g}", name, by_question(credits(runs, scores, "asc", weight), size))
            for weight in WEIGHTS
        ]
        columns.append(("best of n", name, by_question(credits(runs, scores, "best"), size)))
    columns.append(("oracle", "", by_question(np.array([float(r.any()) for r in right]), size)))
    differences = np.stack([values - plain for _, _, values in columns], axis=1)
    low, high = bootstrap_means(differences, 0, resamples=1000)
    return [
        f"| {size} | {name} | {ranker} | {100 * values.mean():.2f} "
        f"| {100 * differences[:, i].mean():+.2f} ({100 * low[i]:+.2f} to {100 * high[i]:+.2f}) |"
        for i, (name, ranker, values) in enumerate(columns)
    ]


def by_question(values: np.ndarray, size: int) -> np.ndarray:
    """The mean over a question's runs."""
    return values.reshape(-1, 8 // size).mean(axis=1)


def by_subject(pools: list[CandidatePool], rankers: dict[str, Scores]) -> None:
    """Self-consistency and adaptive voting a subject, n = 8."""
    plain = credits(pools, None, "sc")
    gains = {name: credits(pools, scores, "asc") - plain for name, scores in rankers.items()}
    print("| subject, n = 8 | problems | self-consistency | " + " | ".join(f"gain, {name}" for name in gains) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(gains))
    for subject in sorted({one.task for one in pools}):
        chosen = np.array([one.task == subject for one in pools])
        low, high = bootstrap_means(np.stack([gain[chosen] for gain in gains.values()], axis=1), 0, resamples=1000)
        cells = [
            f"{100 * gain[chosen].mean():+.2f} ({100 * low[i]:+.2f} to {100 * high[i]:+.2f})"
            for i, gain in enumerate(gains.values())
        ]
        print(f"| {subject} | {chosen.sum()} | {100 * plain[chosen].mean():.2f} | {' | '.join(cells)} |")
    print()


def sampling(pools: list[CandidatePool], scores: Scores) -> None:
    """Accuracy against samples spent, of fixed numbers and of the stopping rules."""
    print("| samples, at most 8 | vote | mean samples | accuracy |\n| --- | --- | ---: | ---: |")
    rules: list[tuple[str, Callable[[list, list, str], int]]] = [
        (f"always {n}", lambda groups, own, kind, n=n: n) for n in (2, 4, 6, 8)
    ]
    rules.append(("until certain", lambda g, s, kind: spend(g, s, rule="certain", kind=kind).samples))
    rules += [
        (f"Beta at {t:g}", lambda g, s, kind, t=t: spend(g, s, rule="beta", threshold=t, kind=kind).samples)
        for t in (0.8, 0.9, 0.95)
    ]
    for kind in ("sc", "asc"):
        for name, rule in rules:
            found, spent = [], []
            for one, own in zip(pools, scores, strict=True):
                groups, values = one.groups, own.tolist()
                n = rule(groups, values, kind)
                ballot = vote(groups[:n], values[:n] if kind == "asc" else None, kind=kind)
                found.append(credit(ballot, right_groups(one)))
                spent.append(n)
            print(f"| {name} | {kind} | {np.mean(spent):.2f} | {100 * np.mean(found):.2f} |")
    print(flush=True)


def correlation(
    teacher: str, pools: list[CandidatePool], full: Inputs, rankers: dict[str, Scores]
) -> dict[str, tuple[Point, list[Point]]]:
    """(pair accuracy, gain) of good and of weak rankers, over all folds and of each."""
    names = list(ALONE_COLUMNS)
    bare = replace(full, words=None)
    weak = {
        label: cross_fit(bare.columns([i for i, name in enumerate(names) if part in name]), alone=True, rounds=60)
        for label, part in COLUMNS.items()
    }
    alone = bare.columns(range(len(names)))
    weak |= {f"alone, {n} questions": cross_fit(alone, alone=True, questions=n, rounds=60) for n in (100, 500)}
    weak["among rivals, 100 questions"] = cross_fit(bare, alone=False, questions=100, rounds=60)
    plain = credits(pools, None, "sc")
    folds = np.array([fold_of(one.asked, FOLDS, 0) for one in pools])
    right = [np.array([bool(c.right) for c in one.candidates]) for one in pools]
    points: dict[str, tuple[Point, list[Point]]] = {}
    print(f"| ranker ({teacher}, n = 8) | pair accuracy | gain of adaptive, lambda 1 (points) |\n| --- | ---: | ---: |")
    for name, scores in {**weak, **rankers}.items():
        gain = credits(pools, scores, "asc") - plain
        half = 196 * gain.std() / math.sqrt(len(gain))
        pairs = 100 * pair_accuracies(scores, right).mean()
        print(f"| {name} | {pairs:.1f} | {100 * gain.mean():+.2f} (± {half:.2f}) |")
        each = []
        for fold in range(FOLDS):
            places = np.flatnonzero(folds == fold)
            accuracy = pair_accuracies([scores[i] for i in places], [right[i] for i in places]).mean()
            each.append((100 * float(accuracy), 100 * float(gain[places].mean())))
        points[name] = (float(pairs), 100 * float(gain.mean())), each
    print(flush=True)
    return points


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
