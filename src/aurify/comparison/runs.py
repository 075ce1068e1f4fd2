"""Finished runs as they are compared: who answered which held-out question rightly, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from aurify.answers.verdict import Verdict
from aurify.errors import AurifyError, UsageError
from aurify.parsing import read_toml
from aurify.rationales import RationaleTable
from aurify.running.asked import read_asked
from aurify.running.budget import BUDGET_KINDS, cost_of_step
from aurify.running.folder import RunFolder
from aurify.running.metrics import MetricsLog
from aurify.settings import spelling
from aurify.statistics.paired import Floats, by_question

MAY_DIFFER = {"seed", "out", "resume", "token_budget", "track", "save_every"}
"""Settings in which the runs of one method may differ."""


@dataclass(frozen=True)
class FinishedRun:
    """One run's last held-out answers and its cost."""

    folder: Path
    """Or, where the answers stand in a file of verdicts, that file."""
    right: Mapping[str, float]
    """By question id, 1 where the last greedy rationale was right, else 0; of a file, the score that it gives."""
    config: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    """Rationales drawn (``samples``), ``tokens`` generated and ``seconds``, without evaluations; of a file, nothing."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The held-out questions' texts by id, where they are known."""

    @property
    def seed(self) -> int:
        """0 where none is known."""
        seed: int = self.config.get("seed", 0)
        return seed


def read_finished_run(folder: str | Path) -> FinishedRun:
    """What ``aurify train`` left in a folder.

    Raises:
        AurifyError: it is not a run's folder, the run is not finished, or nothing was held out.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AurifyError(
            f"{folder}: no such folder or file; give folders of finished runs, files of verdicts, or one TOML file"
        )
    if not (folder / "config.toml").is_file():
        raise AurifyError(f"{folder}: no config.toml there: not the folder of a run")
    config = read_toml(folder / "config.toml")
    if not (folder / "model").is_dir():
        command = "distill" if "from" in config else "train"
        raise AurifyError(f"{folder}: the run is not finished: {RunFolder(folder, command=command).resume_command}")
    lines = MetricsLog(folder / "metrics.jsonl").read()
    if not isinstance(config.get("seed"), int):
        raise AurifyError(f"{folder}: its config.toml is not what aurify train wrote: run it again")
    last = max((line["step"] for line in lines if "held_out" in line), default=None)
    if last is None or not (folder / "held_out").is_dir():
        raise AurifyError(f"{folder}: nothing was held out in this run, so there is nothing to compare")
    right = {
        question_id: float(verdict == Verdict.RIGHT)
        for table in RationaleTable(folder / "held_out").batches(["question_id", "verdict", "step"])
        for question_id, verdict, step in zip(*(column.to_pylist() for column in table.columns), strict=True)
        if step == last and verdict != Verdict.LEFT_OUT
    }
    costs = [cost_of_step(line) for line in lines]
    spent: dict[str, float] = {kind: sum(cost[kind] for cost in costs) for kind in BUDGET_KINDS}
    asked = [one.question for one in read_asked(folder / "questions.jsonl") if one.part == "held out"]
    return FinishedRun(folder, right, config, spent, {question.id: question.text for question in asked})


def name_methods(runs: Sequence[FinishedRun]) -> dict[str, list[FinishedRun]]:
    """The runs by method, those of one method ordered by seed.

    Runs whose settings differ in nothing but the seed are one method. A method's name is its word and, where another
    has the same word, the settings in which these differ.

    Raises:
        UsageError: two runs of one method have the same seed.
    """
    groups: dict[str, list[FinishedRun]] = {}
    for run in runs:
        same = {key: value for key, value in run.config.items() if key not in MAY_DIFFER}
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(run)
    for group in groups.values():
        group.sort(key=lambda run: run.seed)
        for one, other in pairwise(group):
            if one.seed == other.seed:
                raise UsageError(
                    f"{one.folder} and {other.folder} are runs of the same settings and seed: leave one out"
                )
    return {_name(group[0], [g[0] for g in groups.values()]): group for group in groups.values()}


def aligned(methods: Mapping[str, Sequence[FinishedRun]]) -> dict[str, Floats]:
    """For each method what each of its runs made of each question [S, Q], NaN where the run was not asked it.

    The rows of all methods are of the same seeds, the columns of the same questions.

    Raises:
        UsageError: the methods have different seeds, or were measured on different held-out questions.
    """
    _same_by_id([run for runs in methods.values() for run in runs])
    names = list(methods)
    first = methods[names[0]]
    for name in names[1:]:
        if len(methods[name]) != len(first):
            raise UsageError(
                f"{names[0]} has {_counted(first)} and {name} has {_counted(methods[name])}: "
                "compare methods with the same seeds"
            )
        for one, other in zip(first, methods[name], strict=True):
            if len(first) > 1 and one.seed != other.seed:
                raise UsageError(
                    f"{one.folder} has seed {one.seed} and {other.folder} seed {other.seed}: runs are paired by seed"
                )
            if one.right.keys() != other.right.keys():
                shared = len(one.right.keys() & other.right.keys())
                raise UsageError(
                    f"{one.folder} and {other.folder} were measured on different held-out questions "
                    f"({shared} in common of {len(one.right)} and {len(other.right)}): "
                    f"give both the same questions ({_what_chose(one, other)})"
                )
    return {name: by_question([run.right for run in runs]) for name, runs in methods.items()}


def _what_chose(one: FinishedRun, other: FinishedRun) -> str:
    """The settings that choose held-out questions, with what they are in each run where they differ."""
    both = [(key, one.config.get(key), other.config.get(key)) for key in ("data", "seed", "holdout", "eval_data")]
    differ = [f"{spelling(key)} {mine} and {theirs}" for key, mine, theirs in both if mine != theirs]
    return "; ".join(differ) if differ else "of runs: --data, --seed, --holdout and --eval-data"


def _same_by_id(runs: Sequence[FinishedRun]) -> None:
    """Refuse runs in which one id stands for different questions."""
    known: dict[str, tuple[str, FinishedRun]] = {}
    for run in runs:
        for id_, text in run.texts.items():
            before, other = known.setdefault(id_, (text, run))
            if before != text:
                raise UsageError(
                    f"{other.folder} and {run.folder} were measured on different questions of the same ids, as "
                    f"{id_!r}: give both the same questions"
                )


def _name(run: FinishedRun, others: Sequence[FinishedRun]) -> str:
    word = str(run.config.get("method", run.folder.name))
    namesakes = [other for other in others if other.config.get("method") == run.config.get("method")]
    keys = sorted({key for other in namesakes for key in other.config.keys() | run.config.keys()} - MAY_DIFFER)
    differ = [key for key in keys if any(other.config.get(key) != run.config.get(key) for other in namesakes)]
    return " ".join([word, *(f"{key}={run.config.get(key)}" for key in differ)])


def _counted(runs: Sequence[FinishedRun]) -> str:
    return "1 run" if len(runs) == 1 else f"{len(runs)} runs"
