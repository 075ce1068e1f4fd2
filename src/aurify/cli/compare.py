"""aurify compare: which of several methods is better on the same questions, at which cost, and whether that is real."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import Field

from aurify.cli.options import add_command
from aurify.errors import UsageError, nearest
from aurify.settings import Settings
from aurify.text import printable

if TYPE_CHECKING:
    from aurify.evaluation.compare_runs import FinishedRun
    from aurify.running.budget import Budget
    from aurify.statistics.paired import Interval, Pair

_USED_UP = 0.9  # a fit that would not fit into the rest of a budget is not begun


class CompareSettings(Settings):
    """What ``aurify compare`` takes."""

    runs: tuple[str, ...] = Field(
        min_length=1, description="Folders of finished runs; or one TOML file that names methods, seeds and a budget."
    )
    against: str | None = Field(None, description="Compare every method with this one only, not all pairs.")
    seed: int = Field(0, ge=0, description="Of the bootstrap.")
    json_: str | None = Field(None, description="Write the numbers to this file as JSON; - is standard output.")


def run(settings: CompareSettings) -> None:
    """Compare finished runs on the questions that they were measured on, or run the methods of a file and compare them.

    Runs that differ in their seed alone are one method. Each pair of methods has the difference of their greedy
    accuracies with a paired 95 % bootstrap interval (over questions, and over seeds where there are several) and an
    exact McNemar test, Holm-corrected for the number of pairs. Without a winner in both, they are not told apart.

    The TOML file holds settings of `aurify train`, common to all, and: methods = ["trice", "star"], or tables
    [methods.NAME] with settings of their own; seeds = [0, 1, 2]; out = "runs/compared"; and budget = "20000 samples",
    "1000000 tokens" (generated) or "600 seconds" of each run. Run it again to go on after a stop.
    """
    from aurify.evaluation.compare_runs import aligned
    from aurify.files import write_atomically
    from aurify.statistics.paired import accuracy, compare_all

    if settings.json_ not in (None, "-") and not Path(str(settings.json_)).parent.is_dir():
        raise UsageError(f"--json {settings.json_}: not a file in a folder that exists")
    methods, budget = _runs(settings.runs)
    if len(methods) < 2:
        raise UsageError("nothing to compare: expected runs of two or more methods, or of one with different settings")
    if settings.against is not None and settings.against not in methods:
        raise UsageError(f"--against '{settings.against}': {nearest(settings.against, methods)}")
    right = aligned(methods)
    accuracies = {name: accuracy(rows, settings.seed) for name, rows in right.items()}
    pairs = compare_all(right, against=settings.against, seed=settings.seed)
    if settings.json_ is not None:
        text = json.dumps(_to_dict(methods, accuracies, pairs), indent=2) + "\n"
        if settings.json_ == "-":
            sys.stdout.write(text)
            return
        write_atomically(settings.json_, text)
    for line in _report(methods, accuracies, pairs, budget):
        sys.stdout.write(line + "\n")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, "compare", CompareSettings, run, positional="runs")


def _runs(given: Sequence[str]) -> tuple[dict[str, list[FinishedRun]], Budget | None]:
    """The runs by method, named by the plan or by their settings, and the plan's budget."""
    from aurify.evaluation.compare_runs import name_methods, read_run

    plans = [word for word in given if word.endswith(".toml")]
    if not plans:
        return name_methods([read_run(folder) for folder in given]), None
    if len(given) > 1:
        raise UsageError(f"{plans[0]}: give one TOML file alone, or the folders of runs")
    from aurify.evaluation.compare_plan import read_plan, run_plan

    plan = read_plan(Path(plans[0]))
    folders = run_plan(plan, _say)
    return {name: [read_run(folder) for folder in mine] for name, mine in folders.items()}, plan.budget


def _say(text: str) -> None:
    sys.stderr.write(printable(text, 400) + "\n")


def _mean(runs: Sequence[FinishedRun], kind: str) -> float:
    return sum(run.cost[kind] for run in runs) / len(runs)


def _to_dict(
    methods: dict[str, list[FinishedRun]], accuracies: dict[str, Interval], pairs: Sequence[Pair]
) -> dict[str, Any]:
    return {
        "methods": {
            name: {
                "runs": [str(run.folder) for run in runs],
                "seeds": [run.seed for run in runs],
                "n": [len(run.right) for run in runs],
                "by_seed": [sum(run.right.values()) / len(run.right) for run in runs],
                **dict(zip(("accuracy", "low", "high"), accuracies[name], strict=True)),
                **{kind: _mean(runs, kind) for kind in ("samples", "tokens", "seconds")},
            }
            for name, runs in methods.items()
        },
        "pairs": [
            {
                "first": pair.first, "second": pair.second,
                **dict(zip(("difference", "low", "high"), pair.difference, strict=True)),
                "only_first": pair.only_first, "only_second": pair.only_second,
                "p": pair.p, "p_holm": pair.p_holm, "better": pair.better,
            }
            for pair in pairs
        ],
    }  # fmt: skip


def _report(
    methods: dict[str, list[FinishedRun]],
    accuracies: dict[str, Interval],
    pairs: Sequence[Pair],
    budget: Budget | None,
) -> Iterator[str]:
    """The lines for a person; accuracies and differences in percent."""
    first = next(iter(methods.values()))
    seeds = ", ".join(str(run.seed) for run in first)
    yield f"{len(methods)} methods, {sum(len(run.right) for run in first)} held-out answers each, seeds {seeds}"
    yield ""
    head = ["method", "greedy accuracy (95 %)", "samples", "tokens", "seconds"]
    rows = [
        [name, _percent(accuracies[name]), *(f"{_mean(runs, kind):,.0f}" for kind in ("samples", "tokens", "seconds"))]
        for name, runs in sorted(methods.items(), key=lambda item: -accuracies[item[0]].value)
    ]
    yield from _table([head, *rows])
    yield ""
    head = ["difference (points)", "", "right alone", "p", "p (Holm)", ""]
    rows = [
        [
            f"{pair.first} - {pair.second}", _percent(pair.difference), f"{pair.only_first} : {pair.only_second}",
            f"{pair.p:.2g}", f"{pair.p_holm:.2g}", f"{pair.better} is better" if pair.better else "not told apart",
        ]
        for pair in pairs
    ]  # fmt: skip
    yield from _table([head, *rows])
    yield ""
    open_pairs = sum(pair.better is None for pair in pairs)
    if open_pairs:
        yield f"the data cannot tell {'the two' if len(pairs) == 1 else f'{open_pairs} of {len(pairs)} pairs'} apart"
    if len(first) == 1:
        yield "one seed: what differs are these runs; another seed of the same method would differ too"
    for name, runs in methods.items():
        if budget is None:
            break
        share = _mean(runs, budget.kind) / budget.amount
        if share < _USED_UP:
            used = f"{100 * share:.0f} % of the budget of {budget.amount:g} {budget.kind}"
            yield f"{name} used {used}: its steps ended it"
    yield "samples, tokens (generated) and seconds are means a run, without evaluations"


def _percent(interval: Interval) -> str:
    return f"{100 * interval.value:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns, the first one flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [
            printable(first).ljust(widths[0]),
            *(printable(cell).rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()
