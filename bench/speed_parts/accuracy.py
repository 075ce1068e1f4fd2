"""Part d: seconds of training until TRL's GRPO is at its best held-out accuracy, against aurify's until that accuracy.

BBH's object counting, 60 % of the real rows to train on, 40 % held out, by seed, the same for both sides; the nugget,
full tuning, 64 rollouts a step, at most 128 new tokens, greedy accuracy of all held-out rows after every step, until
all are right. Seconds leave out loading and evaluating. Each run has one core and one thread, two runs at a time where
there are two cores. The learning rate of each side is chosen on seed 100 (not among the seeds below) from the same
grid: TRL's by its best accuracy, aurify's by its time to the best accuracy of TRL's choice. Both fall by a cosine to a
tenth. TRICE's chains begin empty (`--memory none`; it and `guide`, which `auto` takes here, were tried on seeds 100 and
101). A side's best is the best of many evaluations of 80 rows, so its last points are luck; the time to 95 % stands
beside it.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import NamedTuple

from speed_parts import shared
from speed_parts.child import Child
from speed_parts.shared import PEERS, Options

GRID = (2e-4, 5e-4, 1e-3, 2e-3)
TUNING_SEED = 100
EVERY = 1
NEAR = 0.95


class Job(NamedTuple):
    """One run of training."""

    side: str
    seed: int
    rate: float
    steps: int
    every: int = EVERY


Curve = list[tuple[int, float, float]]  # step, seconds, accuracy


def run(options: Options) -> str:
    if not PEERS.exists():
        return "## d. Time to accuracy\n\nNot measured: no .venv-peers (run make peers)."
    steps = {"TRL": 4, "aurify": 4} if options.quick else {"TRL": 80, "aurify": 60}
    tuning = steps if options.full or options.quick else {"TRL": 50, "aurify": 40}
    grid = GRID[:1] if options.quick else GRID
    every = 2 if options.quick else EVERY
    trials = train([Job(side, TUNING_SEED, rate, tuning[side], every) for rate in grid for side in steps], options)
    if any(not any(curve for job, curve in trials.items() if job.side == side) for side in steps):
        return "## d. Time to accuracy\n\nNot measured: no trial run came to its end on one of the sides."
    chosen = choose(trials)
    seeds = range(1 if options.quick else options.seeds)
    found = train([Job(side, seed, chosen[side], steps[side], every) for seed in seeds for side in steps], options)
    curves = {(job.side, job.seed): curve for job, curve in found.items()}
    rows, ratios = [], []
    for seed in seeds:
        theirs, ours = curves.get(("TRL", seed)), curves.get(("aurify", seed))
        if not theirs or not ours:
            rows.append([seed, *["fails"] * 9])
            continue
        best = best_of(theirs)
        their_s, our_s = time_to(theirs, best), time_to(ours, best)
        reached = f"{our_s:.1f}" if our_s < float("inf") else "not reached"
        if not their_s:
            rows.append([seed, f"{best:.1%}", "before training", *["-"] * 7])
            continue
        ratios.append(our_s / their_s)
        rows.append(
            [seed, f"{theirs[0][2]:.1%}", f"{best:.1%}", f"{their_s:.1f}",
             reached, f"{ratios[-1]:.3f}", f"{best_of(ours):.1%}", *near(theirs, ours)]
        )  # fmt: skip
    head = [
        "seed", "before", "TRL's best", "TRL, s to it", "aurify, s to it", "aurify / TRL", "aurify's best",
        f"TRL, s to {NEAR:.0%}", f"aurify, s to {NEAR:.0%}", "aurify / TRL",
    ]  # fmt: skip
    bests = {job: (best_of(curve), curve) for job, curve in sorted(trials.items()) if curve}
    tuned = ", ".join(
        f"{job.side} {job.rate:g}: best {best:.1%} in {time_to(curve, best):.0f} s"
        for job, (best, curve) in bests.items()
    )
    middle = f"{statistics.median(ratios):.3f}" if ratios else "-"
    aim = shared.target("time to TRL's best accuracy", statistics.median(ratios), 1 / 8, at_most=True) if ratios else ""
    return (
        f"## d. Time to accuracy\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n{shared.table(head, rows)}\n\n"
        f"Median of aurify / TRL: {middle}. At most {steps['TRL']} steps of TRL and {steps['aurify']} of aurify. {aim} "
        f"Rates: TRL {chosen['TRL']:g}, aurify {chosen['aurify']:g}; the trials ({tuning['TRL']} and "
        f"{tuning['aurify']} steps): {tuned}."
    )


def best_of(curve: Curve) -> float:
    """The best accuracy of all its evaluations."""
    return max(value for _, _, value in curve)


def time_to(curve: Curve, accuracy: float) -> float:
    """Seconds until the first evaluation with at least this accuracy; infinity if there is none."""
    return next((seconds for _, seconds, value in curve if value >= accuracy), float("inf"))


def near(theirs: Curve, ours: Curve) -> list[str]:
    """Seconds of both to an accuracy short of the best, and their ratio; dashes where it is not reached."""
    seconds = time_to(theirs, NEAR), time_to(ours, NEAR)
    cells = [f"{one:.1f}" if one < float("inf") else "-" for one in seconds]
    return [*cells, f"{seconds[1] / seconds[0]:.3f}" if seconds[0] > 0 and max(seconds) < float("inf") else "-"]


def choose(trials: dict[Job, Curve | None]) -> dict[str, float]:
    """The learning rate of each side."""
    theirs = {job: curve for job, curve in trials.items() if curve and job.side == "TRL"}
    ours = {job: curve for job, curve in trials.items() if curve and job.side == "aurify"}
    first = max(theirs, key=lambda job: (best_of(theirs[job]), -time_to(theirs[job], best_of(theirs[job]))))
    target = best_of(theirs[first])
    second = min(ours, key=lambda job: (time_to(ours[job], target), -best_of(ours[job])))
    return {"TRL": first.rate, "aurify": second.rate}


def train(jobs: Sequence[Job], options: Options) -> dict[Job, Curve | None]:
    """The curve of each job, on as many cores as there are up to two; None for one that failed."""
    cores: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0))[:2]:
        cores.put(core)

    def one(job: Job) -> Curve | None:
        core = cores.get()
        plan = {
            "mode": "accuracy", "data": str(options.data), "seed": job.seed, "rollouts": 16 if options.quick else 64,
            "steps": job.steps, "max_new_tokens": 128, "rate": job.rate, "every": job.every, "trainer": "grpo",
            "memory": "none",
        }  # fmt: skip
        module, python = ("trl_worker", PEERS) if job.side == "TRL" else ("aurify_worker", sys.executable)
        try:
            with Child(module, plan, python=python, threads=1, core=core) as worker:
                curve = [(int(step), seconds, value) for step, seconds, value in worker.read()]
            options.say(f"{job}: {', '.join(f'{value:.0%} at {seconds:.0f} s' for _, seconds, value in curve)}")
            return curve
        except RuntimeError as error:
            options.notes.append(f"d: {job.side}, seed {job.seed}, rate {job.rate:g}: {error}")
            options.say(options.notes[-1])
            return None
        finally:
            cores.put(core)

    with ThreadPoolExecutor(cores.qsize()) as pool:
        return dict(zip(jobs, pool.map(one, jobs), strict=True))
