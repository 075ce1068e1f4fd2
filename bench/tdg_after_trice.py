"""What NAT and NCE add to a TRICE run, without any teacher: its own right and wrong rationales, and its model.

    .venv/bin/python bench/tdg_after_trice.py ../shared/data/bbh/object_counting.json [--seeds 0 1 2] [--steps 5]

For each seed, through the command line: a short TRICE run of the nugget; then, from its table and its model, CoT-KD on
the right rationales alone, NAT, NAT's unit without wrong rationales, a plain LoRA of as many parameters, and NCE of the
NAT model. Beside them, TRICE for twice as many steps: the other way to spend more on the same run. All are judged on
the questions that the run held out: greedy, and by the share of right samples. Differences are paired over questions
and seeds, with the intervals of ``aurify compare``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from kept_verdicts import keep

from aurify.rationales import read_rationales
from aurify.statistics.crossed import DIFFERENCE, crossed_mean
from aurify.statistics.paired import by_question

AFTER: dict[str, Sequence[str]] = {
    "CoT-KD": ("kd",),
    "NAT": ("nat",),
    "NAT's unit, no wrong ones": ("nat", "--variant", "no-negatives"),
    "wide LoRA (NAT's parameters)": ("nat", "--variant", "wide-lora"),
}
BEFORE = "TRICE"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a question file, such as BBH's object_counting.json")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--steps", type=int, default=5, help="of TRICE; after 10 nearly all is right, and nothing is left to add"
    )
    parser.add_argument("--samples", type=int, default=8, help="a held-out question")
    parser.add_argument("--verdicts", type=Path, help="keep the verdicts by question here (kept_verdicts.py)")
    args = parser.parse_args()
    greedy: dict[str, list[dict[str, float]]] = {}
    sampled: dict[str, list[dict[str, float]]] = {}
    seconds: dict[str, list[float]] = {}
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            for name, run, taken in runs_of(args, seed, Path(scratch)):
                right, share = judged(args, seed, run, Path(scratch))
                greedy.setdefault(name, []).append(right)
                sampled.setdefault(name, []).append(share)
                seconds.setdefault(name, []).append(taken)
                print(
                    f"seed {seed}: {name}: {100 * np.mean(list(right.values())):.1f} %, {taken:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    if args.verdicts:
        keep(args.verdicts, [("", seed, {m: greedy[m][i] for m in greedy}) for i, seed in enumerate(args.seeds)])
    print("# What NAT and NCE add to a TRICE run\n")
    print("NAT is negative assistant training, NCE negative calibrated enhancement; CoT-KD learns right ones alone.\n")
    print(f"    .venv/bin/python {' '.join(sys.argv)}\n")
    print("| model | greedy | over TRICE | sampled | over TRICE | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in greedy:
        cells = [cell for found in (greedy, sampled) for cell in (of(found[name]), over(found, name))]
        print(f"| {name} | {' | '.join(cells)} | {np.median(seconds[name]):.0f} |")


def runs_of(args: argparse.Namespace, seed: int, scratch: Path) -> list[tuple[str, Path, float]]:
    """(name, run folder, seconds) of everything that is trained with this seed."""
    found = []

    def aurify(name: str, *words: object) -> Path:
        out, begun = scratch / f"run-{len(found)}", time.perf_counter()
        run_aurify(*words, "--out", out)
        found.append((name, out, time.perf_counter() - begun))
        return out

    train = ("train", "trice", "--model", "nugget", "--data", args.data, "--seed", seed, "--eval-every", 0)
    run = aurify(BEFORE, *train, "--steps", args.steps)
    aurify("TRICE, twice the steps", *train, "--steps", 2 * args.steps)
    made = {name: aurify(name, "distill", *words, "--from", run) for name, words in AFTER.items()}
    aurify("NCE", "distill", "nce", "--from", run, "--model", made["NAT"] / "model")
    return found


def run_aurify(*words: object) -> None:
    """A command, whose failure ends the bench with the command's own last line."""
    command = ["aurify", *map(str, words)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip().rpartition(chr(10))[2]}")


def judged(args: argparse.Namespace, seed: int, run: Path, scratch: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Greedy verdicts, and the share of right samples, of the questions that were held out, by question id."""
    out = scratch / f"judged-{run.name}"
    words = ["--model", run / "model", "--data", args.data, "--samples", args.samples, "--seed", seed, "--out", out]
    run_aurify("evaluate", *words)
    held = {rationale.question_id for rationale in read_rationales(run / "held_out")}
    greedy = {row.question_id: row.right for row in read_rationales(out / "greedy")}
    right: dict[str, list[bool]] = {}
    for row in read_rationales(out / "samples"):
        right.setdefault(row.question_id, []).append(row.right)
    return {id: float(greedy[id]) for id in held}, {id: float(np.mean(right[id])) for id in held}


def of(found: Sequence[dict[str, float]]) -> str:
    return f"{100 * float(np.nanmean(by_question(found))):.1f}"


def over(found: dict[str, list[dict[str, float]]], name: str) -> str:
    """The paired difference from the TRICE run."""
    if name == BEFORE:
        return ""
    gap = crossed_mean(by_question(found[name]) - by_question(found[BEFORE]), DIFFERENCE).interval
    return f"{100 * gap.value:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


if __name__ == "__main__":
    main()
