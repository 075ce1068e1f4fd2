"""TRICE on real BIG-Bench Hard rows, through the command line: held-out greedy accuracy before and after.

    .venv/bin/python bench/trice_bbh.py ../shared/data/bbh [--tasks ...] [--seeds 0 1 2] [--steps N]

Each run is `aurify train trice --model nugget --data TASK.json --seed S` with its defaults: 60 % of the rows to train
on, questions and answers only, 40 % to measure on. The seed decides split, batches and samples. Expected: object
counting at 92 % or more, and at least 35 points gained on average.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

TASKS = ("object_counting", "web_of_lies", "boolean_expressions", "hyperbaton")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bbh", type=Path, help="the folder of BBH's JSON files")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=None, help="instead of the command's default")
    args = parser.parse_args()
    print("| task | held-out rows | before, by seed | after, by seed | mean gain (points) | seconds a run |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    gains = []
    with tempfile.TemporaryDirectory() as folder:
        for task in args.tasks:
            runs = [
                train(args.bbh / f"{task}.json", Path(folder) / f"{task}-{seed}", seed, args.steps)
                for seed in args.seeds
            ]
            gains.append(statistics.mean(after["accuracy"] - before["accuracy"] for before, after, _ in runs))
            print(
                f"| {task} | {runs[0][0]['n']} | {percents(before for before, _, _ in runs)} "
                f"| {percents(after for _, after, _ in runs)} | {100 * gains[-1]:+.1f} "
                f"| {statistics.median(seconds for _, _, seconds in runs):.0f} |",
                flush=True,
            )
    print(
        f"\nmean gain over {len(gains)} tasks and {len(args.seeds)} seeds: {100 * statistics.mean(gains):+.1f} points"
    )


def train(data: Path, out: Path, seed: int, steps: int | None) -> tuple[dict[str, float], dict[str, float], float]:
    """One run: held-out accuracy before and after, and its seconds."""
    command = [
        sys.executable, "-m", "aurify", "train", "trice", "--model", "nugget",
        "--data", str(data), "--seed", str(seed), "--out", str(out), *(["--steps", str(steps)] if steps else []),
    ]  # fmt: skip
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    measured = [line["held_out"] for line in lines if "held_out" in line]
    return measured[0], measured[-1], seconds


def percents(accuracies: Iterable[dict[str, float]]) -> str:
    """Accuracies as percentages, one a seed."""
    return ", ".join(f"{100 * accuracy['accuracy']:.1f}" for accuracy in accuracies)


if __name__ == "__main__":
    main()
