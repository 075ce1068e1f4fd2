"""The tables of bench/real_beside.py: every run; seconds to TRL's final accuracy; final answers, paired."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from speed_parts.shared import table

from aurify.statistics.paired import Pair, accuracy, by_question, compare_pair

TRL = "trl"
Run = Mapping[str, Any]
Curve = Sequence[tuple[float, float]]

COLUMNS = (
    "side", "rate", "seed", "before", "held out, greedy, after seconds of training", "final (95 %)",
    "change, points, paired", "sampled", "steps", "s/step", "of these the processor's", "GiB", "right, first step",
    "cut, first step", "tokens a rationale",
)  # fmt: skip


def print_tables(runs: Sequence[Run], sides: Sequence[str]) -> None:
    """All runs that there are, then those of each side's best rate against TRL's."""
    print(f"\n{table(COLUMNS, [row(run) for run in runs])}")
    best = {side: best_rate([run for run in runs if run["side"] == side]) for side in {run["side"] for run in runs}}
    theirs = best.pop(TRL, {})
    if not theirs or not best:
        print("\nNothing to compare yet: needs a finished run of trl and one of aurify.")
        return
    order = sorted(best, key=lambda side: sides.index(side) if side in sides else len(sides))
    rows = [
        times(side, seed, best[side][seed], theirs[seed]) for side in order for seed in best[side] if seed in theirs
    ]
    head = ("side", "seed", "TRL's final accuracy", "its own seconds to it", "side's seconds to it", "side / TRL")
    print(f"\n{table(head, rows)}")
    rows = [difference(side, best[side], theirs) for side in order if best[side].keys() & theirs.keys()]
    head = ("side", "seeds", "final greedy less TRL's, points, paired by question (95 %)", "p", "sampled less TRL's")
    print(f"\n{table(head, rows)}")


def row(run: Run) -> list[str]:
    """A run."""
    curve: Curve = run["curve"]
    first = run["verdicts"][0]
    seconds = run["seconds"]
    return [
        run["side"], rate(run), run["seed"], f"{100 * curve[0][1]:.1f} %",
        ", ".join(f"{spent:.0f} s: {100 * value:.1f}" for spent, value in curve[1:]),
        percent(run["after"]), points(change(run)), percent(run["sampled"]) if "sampled" in run else "-", len(seconds),
        f"{statistics.mean(seconds):.1f}",
        f"{100 * sum(run['processor']) / sum(seconds):.0f} %",
        f"{run['peak_mb'] / 1024:.1f}",
        f"{first.get('right', 0)} of {sum(first.values())}", first.get("truncated", 0),
        f"{sum(run['tokens']) / max(1, sum(run['samples'])):.0f}",
    ]  # fmt: skip


def change(run: Run) -> Pair:
    """Of the held-out greedy answers, by training."""
    return compare_pair("after", by_question([run["after"]]), "before", by_question([run["before"]]))


def points(pair: Pair) -> str:
    """A difference in percentage points with its interval."""
    value, low, high = (100 * share for share in pair.difference)
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def rate(run: Run) -> str:
    """The peak rate that was given, or that the side found its rates itself."""
    return "own" if run["rate"] is None else f"{run['rate']:g}"


def percent(verdicts: Mapping[str, float]) -> str:
    """Percent right with its interval."""
    value, low, high = (100 * share for share in accuracy(by_question([verdicts])))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def best_rate(runs: Sequence[Run]) -> dict[int, Run]:
    """By seed the runs of a side's best rate: by the mean of final accuracies, among those with the most seeds."""
    rates: dict[str, dict[int, Run]] = {}
    for run in runs:
        rates.setdefault(rate(run), {})[run["seed"]] = run
    return max(rates.values(), key=lambda found: (len(found), statistics.mean(final(run) for run in found.values())))


def final(run: Run) -> float:
    """The accuracy at the end."""
    return float(run["curve"][-1][1])


def seconds_to(curve: Curve, wanted: float) -> float:
    """Seconds of training at the first evaluation with at least this accuracy; infinity if there is none."""
    return next((spent for spent, value in curve if value >= wanted), float("inf"))


def times(side: str, seed: int, ours: Run, theirs: Run) -> list[str]:
    """When TRL's final accuracy was first there, on both sides."""
    wanted = final(theirs)
    their_s, our_s = seconds_to(theirs["curve"], wanted), seconds_to(ours["curve"], wanted)
    cells = [f"{their_s:.0f}" if their_s else "before training", f"{our_s:.0f}" if our_s < float("inf") else "never"]
    known = their_s > 0 and our_s < float("inf")
    return [side, str(seed), f"{100 * wanted:.1f} %", *cells, f"{our_s / their_s:.2f}" if known else "-"]


def difference(side: str, ours: Mapping[int, Run], theirs: Mapping[int, Run]) -> list[str]:
    """Of the answers at the end, over the seeds that both sides have."""
    seeds = sorted(ours.keys() & theirs.keys())

    def paired(what: str) -> tuple[str, str]:
        if not all(what in run[seed] for run in (ours, theirs) for seed in seeds):
            return "-", "-"
        mine, other = (by_question([run[seed][what] for seed in seeds]) for run in (ours, theirs))
        pair = compare_pair(side, mine, TRL, other)
        return points(pair), f"{pair.p:.3f}"

    greedy, p = paired("after")
    return [side, ", ".join(map(str, seeds)), greedy, p, paired("sampled")[0]]
