"""A file that names methods and a common budget: run them, then compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.errors import AurifyError, UsageError
from aurify.files import write_atomically
from aurify.lock import sole_writer
from aurify.other_names import unknown_setting
from aurify.parsing import read_toml
from aurify.running.budget import STEPS_WITHOUT_END, Budget
from aurify.settings import resolve
from aurify.training.settings import TrainSettings, build_method

if TYPE_CHECKING:
    from aurify.running.context import Run


PLAN_KEYS = ("methods", "seeds", "budget", "out")
"""What a plan holds beside settings of ``aurify train``, which are common to all its methods."""

SET_BY_PLAN = frozenset({"seed", "out", "resume"})
"""Settings that the plan itself gives to each run."""


@dataclass(frozen=True)
class Plan:
    """What to run: every method with every seed."""

    methods: Mapping[str, TrainSettings]
    """By the name that the file gives; ``seed`` and ``out`` are set for each run."""
    seeds: Sequence[int]
    budget: Budget | None
    out: Path

    def runs(self) -> list[tuple[str, TrainSettings]]:
        """(name, settings) of every run, seed by seed."""
        return [
            (name, settings.model_copy(update={"seed": seed, "out": str(self.out / f"{_slug(name)}-seed{seed}")}))
            for seed in self.seeds
            for name, settings in self.methods.items()
        ]


def read_plan(path: Path) -> Plan:
    """Read a TOML file: settings of ``aurify train``, and

        budget = "20000 samples"             # or tokens (generated), or seconds; without it, each method's own steps
        seeds = [0, 1, 2]
        out = "runs/compared"
        methods = ["trice", "star"]          # or tables with settings of their own:
        [methods.trice-basic]
        method = "trice"
        estimator = "basic"

    Raises:
        UsageError: unreadable, or a setting that cannot be, with the file and the method.
    """
    try:
        content = read_toml(path)
    except AurifyError as error:
        raise UsageError(str(error)) from None
    common = {key.replace("-", "_"): value for key, value in content.items() if key not in PLAN_KEYS}
    named = content.get("methods")
    tables = {str(word): {} for word in named} if isinstance(named, list) else named
    if not isinstance(tables, dict) or len(tables) < 2 or not all(isinstance(one, dict) for one in tables.values()):
        raise UsageError(f"{path}: methods: expected two or more, as a list of words or as tables [methods.NAME]")
    values = {
        name: {**common, "method": name, **{key.replace("-", "_"): value for key, value in own.items()}}
        for name, own in tables.items()
    }
    fields = TrainSettings.with_all_own(*values.values()).model_fields
    for key in common:
        if key not in fields or key in SET_BY_PLAN:
            known = [*PLAN_KEYS, *(name for name in fields if name not in SET_BY_PLAN)]
            raise UsageError(f"{path}: {unknown_setting(key, known)}")
    if len({_slug(name) for name in tables}) < len(tables):
        raise UsageError(f"{path}: methods: two names would share one folder: {', '.join(tables)}: rename one")
    seeds = content.get("seeds", [0])
    whole = isinstance(seeds, list) and all(type(seed) is int and seed >= 0 for seed in seeds)
    if not whole or not seeds or len(set(seeds)) < len(seeds):
        raise UsageError(f"{path}: seeds: expected different whole numbers, such as [0, 1, 2]")
    out = content.get("out", f"runs/{path.stem}")
    if not isinstance(out, str):
        raise UsageError(f"{path}: out: expected the name of a folder, in quotes")
    budget = _budget(path, content.get("budget"))
    methods = {}
    for name, own in tables.items():
        if taken := SET_BY_PLAN.intersection(own):
            raise UsageError(f"{path}: method {name}: {min(taken)} is set for each run: see seeds and out")
        try:
            settings = resolve(TrainSettings, values[name])
        except UsageError as error:
            raise UsageError(f"{path}: method {name}: {error}") from None
        if budget and settings.max_time:
            raise UsageError(f"{path}: method {name}: max_time beside the plan's budget: leave one of them")
        methods[name] = _without_end(settings) if budget and "steps" not in values[name] else settings
    return Plan(methods, seeds, budget, Path(out))


def run_plan(plan: Plan, say: Callable[[str], None]) -> dict[str, list[Path]]:
    """Run what is not finished yet, each in its own folder, and return the folders of every method, seed by seed.

    Raises:
        UsageError: a folder holds a run of other settings or of another budget.
        AurifyError: a run failed, or was asked to stop: the same command goes on with it.
    """
    with sole_writer(plan.out, say):
        return _run_all(plan, say)


def _run_all(plan: Plan, say: Callable[[str], None]) -> dict[str, list[Path]]:
    from aurify.training.run import run_training

    _same_budget(plan)
    folders: dict[str, list[Path]] = {name: [] for name in plan.methods}
    for name, settings in plan.runs():
        folder = Path(settings.out)
        if (folder / "model").is_dir():
            _same_settings(folder, settings)
            say(f"{name}, seed {settings.seed}: finished before")
        else:
            settings = settings.model_copy(update={"resume": (folder / "config.toml").is_file()})
            say(f"{name}, seed {settings.seed}: running")
            say(f"{name}, seed {settings.seed}: {_summary(run_training(settings, budget=plan.budget))}")
        folders[name].append(folder)
    return folders


def _summary(run: Run) -> str:
    return f"before {run.before}, after {run.after}" if run.before and run.after else "nothing held out"


def _budget(path: Path, given: Any) -> Budget | None:
    if given is None:
        return None
    found = re.fullmatch(r"\s*(\d[\d_]*(?:\.\d+)?|\.\d+)\s*(samples|tokens|seconds)\s*", str(given))
    if found is None or float(found[1].replace("_", "")) <= 0:
        raise UsageError(
            f'{path}: budget {given!r}: expected such as "20000 samples", "1000000 tokens" or "600 seconds"'
        )
    return Budget(found[2], float(found[1].replace("_", "")))  # type: ignore[arg-type]  # one of the three words, as matched


def _without_end(settings: TrainSettings) -> TrainSettings:
    """The settings with as many steps as any budget needs, where it is the steps that draw."""
    method = build_method(settings)
    return settings if method.refits or not method.learns else settings.model_copy(update={"steps": STEPS_WITHOUT_END})


def _same_budget(plan: Plan) -> None:
    marker = plan.out / "budget.txt"
    wanted = f"{plan.budget.amount:g} {plan.budget.kind}" if plan.budget else "none"
    if marker.is_file():
        before = marker.read_text(encoding="utf-8").strip()
        if before != wanted:
            raise UsageError(f"{plan.out}: its runs had the budget {before}, now {wanted}: name another out")
    write_atomically(marker, wanted + "\n")


def _same_settings(folder: Path, settings: TrainSettings) -> None:
    from aurify.running.folder import difference

    if found := difference(folder / "config.toml", settings):
        raise UsageError(f"{folder}: its {found}: name another out")


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-")
