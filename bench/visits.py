"""Many questions visited once, or some of them several times before others follow: TRICE at equal steps.

    .venv/bin/python bench/visits.py [--tasks object_counting ...] [--seeds 0 1 2] [--visits 1 5] [--report]

The embedded model learns hard questions of a task from answers alone, from empty memories, by the defaults of
``aurify train trice`` but for ``--visits``. There are more questions than a run comes to see. Held-out questions of the
same kind are answered greedily before the first step, at half of the steps and after the last.

Finished runs are kept in bench/results/visits.runs.jsonl; the tables are written after each run to
bench/results/visits.md, between its two marks.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import kept_runs
import numpy as np

from aurify.files import write_atomically
from aurify.nugget import TASKS, generate
from aurify.rationales import RationaleTable
from aurify.running.export import accuracy_by_step
from aurify.running.metrics import MetricsLog
from aurify.settings import resolve
from aurify.statistics import bootstrap_means
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

RESULTS = Path(__file__).parent / "results" / "visits.md"
KEPT = RESULTS.with_suffix(".runs.jsonl")
MARKS = ("<!-- table -->", "<!-- end of table -->")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--visits", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--questions", type=int, default=1280, help="to train on")
    parser.add_argument("--test", type=int, default=150, help="held-out questions")
    parser.add_argument("--report", action="store_true", help="run nothing, write the tables")
    args = parser.parse_args()
    asked = kept_runs.told({name: getattr(args, name) for name in ("steps", "questions", "test")})
    if not args.report:
        for seed in args.seeds:
            for task in args.tasks:
                for visits in args.visits:
                    measured(args, asked, task, visits, seed)
                    write_report(asked)
    write_report(asked)


def measured(args: argparse.Namespace, asked: dict[str, str], task: str, visits: int, seed: int) -> None:
    """Run it, unless its result is kept."""
    about = {"task": task, "visits": visits, "seed": seed}
    if any(about.items() <= run.items() for run in kept_runs.read(KEPT, asked)):
        return
    test = generate(task, args.test, 9000 + seed, "hard")
    seen = {question.text for question in test}
    train = [q for q in generate(task, args.questions + args.test, seed, "hard") if q.text not in seen]
    work = Path(tempfile.mkdtemp(prefix="visits-"))
    try:
        settings = {
            "method": "trice", "model": "nugget", "data": "(bench)", "out": str(work / "run"), "seed": seed,
            "steps": args.steps, "memory": "none", "max_new_tokens": 192, "eval_every": args.steps // 2,
            "visits": visits, "save_every": 1000,
        }  # fmt: skip
        run_training(resolve(TrainSettings, settings), questions=train[: args.questions], held_out=test)
        lines = MetricsLog(work / "run" / "metrics.jsonl").read()
        rows = list(RationaleTable(work / "run" / "rationales").read())
    finally:
        shutil.rmtree(work, ignore_errors=True)
    steps = [line for line in lines if "updated" in line]
    result = {
        **about,
        "accuracy": [found.value for _, found in sorted(accuracy_by_step(lines).items())],
        "right": [line["verdicts"].get("right", 0) for line in steps],
        "valid_chains": [line["valid_chains"] for line in steps],
        "seen": len({row.question_id for row in rows}),
        "tokens": sum(row.drawn_tokens for row in rows),
        "seconds": sum(line["timing"]["seconds"] for line in steps),
    }
    kept_runs.add(KEPT, asked, result)
    print(f"{about}: {' '.join(f'{100 * share:.1f}' for share in result['accuracy'])} %", flush=True)


def write_report(asked: dict[str, str]) -> None:
    """Put the tables between the marks of the results' page."""
    runs = kept_runs.read(KEPT, asked)
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else f"# Visits\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, after = text.partition(MARKS[0])[0], text.partition(MARKS[1])[2]
    write_atomically(RESULTS, f"{before}{MARKS[0]}\n\n{by_task(runs)}\n\n{overall(runs)}\n\n{MARKS[1]}{after}")


def by_task(runs: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| task | visits | seeds | before, % | half of the steps, by seed | all steps, by seed "
        "| right of 64, last fifth | questions seen | seconds |",
        "| --- | ---: | --- | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for task, visits in sorted({(run["task"], run["visits"]) for run in runs}):
        own = sorted((r for r in runs if (r["task"], r["visits"]) == (task, visits)), key=lambda run: run["seed"])
        half, end = (", ".join(f"{100 * r['accuracy'][at]:.0f}" for r in own) for at in (1, -1))
        last = fmean(fmean(r["right"][-len(r["right"]) // 5 :]) for r in own)
        lines.append(
            f"| {task} | {visits} | {', '.join(str(r['seed']) for r in own)} "
            f"| {100 * fmean(r['accuracy'][0] for r in own):.1f} | {half} | {end} | {last:.0f} "
            f"| {fmean(r['seen'] for r in own):,.0f} | {fmean(r['seconds'] for r in own):.0f} |"
        )
    return "\n".join(lines)


def overall(runs: Sequence[dict[str, Any]]) -> str:
    """Each number of visits less one, paired by task and seed."""
    found = {(run["task"], run["seed"], run["visits"]): run["accuracy"] for run in runs}
    lines = ["| visits, less 1 | runs of each | half of the steps, points (95 %) | all steps, points (95 %) |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for visits in sorted({run["visits"] for run in runs} - {1}):
        pairs = [(found[t, s, visits], found[t, s, 1]) for t, s, v in found if v == visits and (t, s, 1) in found]
        if not pairs:
            continue
        gains = np.array([[ours[at] - others[at] for at in (1, -1)] for ours, others in pairs])
        low, high = bootstrap_means(gains, 0, least=-1.0)
        told = " | ".join(
            f"{100 * gains[:, at].mean():+.1f} ({100 * low[at]:+.1f} to {100 * high[at]:+.1f})" for at in (0, 1)
        )
        lines.append(f"| {visits} | {len(pairs)} | {told} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
