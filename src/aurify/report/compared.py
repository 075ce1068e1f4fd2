"""Several runs beside each other: their accuracies, their costs, and the paired statistics of each two methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from aurify.comparison.runs import FinishedRun, aligned, name_methods, read_finished_run
from aurify.errors import AurifyError
from aurify.statistics.crossed import Interval
from aurify.statistics.paired import Pair, accuracy, compare_all


class MethodRow(NamedTuple):
    """A method: runs that differ in nothing but their seed."""

    name: str
    accuracy: Interval
    seeds: list[int]
    cost: Mapping[str, float]
    """Means a run."""


@dataclass(frozen=True)
class RunComparison:
    """What the runs say of their methods."""

    methods: list[MethodRow] = field(default_factory=list)
    """The best first."""
    pairs: list[Pair] = field(default_factory=list)
    why_not: str = ""
    """Why they cannot be compared, where they cannot."""


def compare_runs(folders: Sequence[Path]) -> RunComparison:
    """The methods of some runs compared, as ``aurify compare`` does; where that cannot be, the reason."""
    try:
        return compare_methods(name_methods([read_finished_run(folder) for folder in folders]))
    except AurifyError as error:
        return RunComparison(why_not=str(error))


def compare_methods(methods: Mapping[str, Sequence[FinishedRun]]) -> RunComparison:
    """The comparison of runs by method.

    Raises:
        UsageError: they have different seeds, or were measured on different questions.
    """
    values = aligned(methods)
    rows = [
        MethodRow(name, accuracy(values[name]), [run.seed for run in runs], _mean_cost(runs))
        for name, runs in methods.items()
    ]
    pairs = compare_all(values) if len(values) > 1 else []
    return RunComparison(sorted(rows, key=lambda row: -row.accuracy.value), pairs)


def _mean_cost(runs: Sequence[FinishedRun]) -> dict[str, float]:
    kinds = [kind for kind in runs[0].cost if all(kind in run.cost for run in runs)]
    return {kind: sum(run.cost[kind] for run in runs) / len(runs) for kind in kinds}
