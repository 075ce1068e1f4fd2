"""aurify compare: which of several methods is better on the same questions, at which cost, and whether that is real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from aurify.cli.numbers import check_target, tell
from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.cli.tables import percent, text_table
from aurify.errors import UsageError, nearest
from aurify.settings import NUMBERS_HELP, Settings
from aurify.text import printable

if TYPE_CHECKING:
    from aurify.comparison.runs import FinishedRun
    from aurify.running.budget import Budget
    from aurify.statistics.crossed import Interval
    from aurify.statistics.paired import Pair

_USED_UP = 0.9  # a fit that would not fit into the rest of a budget is not begun
_NAME_WIDTH = 80
_COSTS = ("samples", "tokens", "seconds")

Methods = Mapping[str, Sequence["FinishedRun"]]


class CompareSettings(Settings):
    """What ``aurify compare`` takes."""

    runs: tuple[str, ...] = Field(
        min_length=1,
        description="Folders of finished runs; files of verdicts; or a TOML file that names methods, seeds, a budget.",
    )
    against: str | None = Field(None, description="Compare every method with this one only, not all pairs.")
    score: str | None = Field(
        None,
        description="In files of verdicts, the field of the score; of lm-eval's samples METRIC or METRIC,FILTER; "
        "of inspect's logs the scorer.",
    )
    json_: str | None = Field(None, description=NUMBERS_HELP)


def run(settings: CompareSettings) -> None:
    """Compare finished runs on the questions that they were measured on, or run the methods of a file and compare them.

    Runs that differ in their seed alone are one method. Each pair of methods has the difference of their greedy
    accuracies with a 95 % interval over questions and runs, in which a question that several runs were asked counts
    once, and the larger p of a sign-flip test over questions and a t test over runs, Holm-corrected for the number of
    pairs. A winner needs both. Three seeds at least tell methods apart; with fewer, only these runs are compared.

    A file of verdicts has a row a question (JSONL, JSON, CSV, Parquet, gzipped too) with an id and right, score or the
    like: also what aurify vote or aurify grade wrote, lm-eval's --log_samples, inspect's logs, TRL's completions.

    The TOML file holds settings of `aurify train`, common to all, and: methods = ["trice", "star"], or tables
    [methods.NAME] with settings of their own; seeds = [0, 1, 2]; out = "runs/compared"; and budget = "20000 samples",
    "1000000 tokens" (generated) or "600 seconds" of each run. Run it again to go on after a stop.
    """
    from aurify.comparison.runs import aligned
    from aurify.report.make import tell_report
    from aurify.statistics.paired import accuracy, compare_all

    check_target(settings.json_)
    methods, budget = _methods(settings)
    if len(methods) < 2:
        raise UsageError("nothing to compare: expected runs of two or more methods, or of one with different settings")
    if settings.against is not None and settings.against not in methods:
        raise UsageError(f"--against '{settings.against}': {nearest(settings.against, methods)}")
    values = aligned(methods)
    means = {name: accuracy(values_SQ) for name, values_SQ in values.items()}
    pairs = compare_all(values, against=settings.against)
    told = tell(_to_dict(methods, means, pairs), _report(methods, means, pairs, budget), settings.json_)
    folders = [run.folder for runs in methods.values() for run in runs if run.folder.is_dir()]
    if told and len(folders) > 1:
        tell_report(folders, print)


register = partial(add_command, name="compare", kind=CompareSettings, run=run, positional="runs")


def _methods(settings: CompareSettings) -> tuple[Methods, Budget | None]:
    """The runs by method, named by the plan, by their settings or by their files, and the plan's budget."""
    from aurify.comparison.runs import name_methods, read_finished_run
    from aurify.comparison.verdict_files import name_files, read_verdicts

    given = settings.runs
    plans = [word for word in given if word.endswith(".toml")]
    if plans:
        if len(given) > 1:
            raise UsageError(f"{plans[0]}: give one TOML file alone, or folders of runs and files of verdicts")
        from aurify.comparison.plan import read_plan, run_plan

        plan = read_plan(Path(plans[0]))
        folders = run_plan(plan, say)
        return {name: [read_finished_run(folder) for folder in mine] for name, mine in folders.items()}, plan.budget
    files = [Path(word) for word in given if Path(word).is_file()]
    if settings.score is not None and not files:
        raise UsageError("--score is for files of verdicts: runs are compared by their greedy answers")
    methods: dict[str, Sequence[FinishedRun]] = {
        **name_methods([read_finished_run(word) for word in given if Path(word) not in files])
    }
    for name, path in zip(name_files(files), files, strict=True):
        methods[str(path) if name in methods else name] = [read_verdicts(path, settings.score, say)]
    return methods, None


def _mean(runs: Sequence[FinishedRun], kind: str) -> float:
    return sum(run.cost[kind] for run in runs) / len(runs)


def _to_dict(methods: Methods, means: Mapping[str, Interval], pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "methods": {
            name: {
                "runs": [str(run.folder) for run in runs],
                "seeds": [run.seed for run in runs],
                "n": [len(run.right) for run in runs],
                "by_seed": [sum(run.right.values()) / len(run.right) for run in runs],
                **dict(zip(("accuracy", "low", "high"), means[name], strict=True)),
                **{kind: _mean(runs, kind) for kind in _COSTS if kind in runs[0].cost},
            }
            for name, runs in methods.items()
        },
        "pairs": [
            {
                "first": pair.first, "second": pair.second,
                **dict(zip(("difference", "low", "high"), pair.difference, strict=True)),
                "only_first": pair.only_first, "only_second": pair.only_second,
                "p_questions": pair.p_questions, "p_runs": pair.p_runs, "p": pair.p, "p_holm": pair.p_holm,
                "persistence": pair.persistence, "better": pair.better, "better_runs": pair.ahead,
            }
            for pair in pairs
        ],
    }  # fmt: skip


def _report(
    methods: Methods, means: Mapping[str, Interval], pairs: Sequence[Pair], budget: Budget | None
) -> Iterator[str]:
    """The lines for a person; accuracies and differences in percent."""
    first = next(iter(methods.values()))
    costs = [kind for kind in _COSTS if all(kind in run.cost for runs in methods.values() for run in runs)]
    asked = len({question for run in first for question in run.right})
    fractions = all(0 <= value <= 1 for runs in methods.values() for run in runs for value in run.right.values())
    answers = sum(len(run.right) for run in first)
    seeds = f", {answers} answers, seeds {', '.join(str(run.seed) for run in first)}" if costs else ""
    yield f"{len(methods)} methods, {asked} questions{seeds}"
    yield ""
    head = ["method", ("greedy accuracy" if costs else "accuracy" if fractions else "mean x 100") + " (95 %)", *costs]
    rows = [
        [name, percent(*means[name]), *(f"{_mean(runs, kind):,.0f}" for kind in costs)]
        for name, runs in sorted(methods.items(), key=lambda item: -means[item[0]].value)
    ]
    yield from text_table([head, *rows], _NAME_WIDTH)
    yield ""
    head = ["difference (points)", "", "right alone" if fractions else "ahead", "p", "p (Holm)", ""]
    rows = [
        [
            f"{pair.first} - {pair.second}", percent(*pair.difference), f"{pair.only_first} : {pair.only_second}",
            f"{pair.p:.2g}", f"{pair.p_holm:.2g}", _verdict(pair, len(first), bool(costs)),
        ]
        for pair in pairs
    ]  # fmt: skip
    yield from text_table([head, *rows], 2 * _NAME_WIDTH)
    yield ""
    yield from _notes(methods, pairs, budget, runs=len(first), trained=bool(costs))


def _verdict(pair: Pair, runs: int, trained: bool) -> str:
    if pair.ahead is None:
        return "not told apart"
    if pair.of_methods or not trained:
        return f"{pair.ahead} is better"
    return f"{pair.ahead}: the better {'run' if runs == 1 else 'runs'}"


def _notes(
    methods: Methods, pairs: Sequence[Pair], budget: Budget | None, *, runs: int, trained: bool
) -> Iterator[str]:
    """What the tables do not say."""
    open_pairs = sum(pair.ahead is None for pair in pairs)
    if open_pairs:
        yield f"the data cannot tell {'the two' if len(pairs) == 1 else f'{open_pairs} of {len(pairs)} pairs'} apart"
    if trained and not pairs[0].of_methods:
        yield (
            f"{'one seed' if runs == 1 else 'two seeds'}: what differs are these runs; other seeds of the same methods "
            "would differ too: three seeds or more compare methods"
        )
    known = sorted(pair.persistence for pair in pairs if pair.persistence is not None)
    if known:
        shares = f"{known[0]:.2f}" if len(known) == 1 else f"{known[0]:.2f} to {known[-1]:.2f}"
        yield f"of what differs on a question, a share of {shares} returns with the next seed (correlation)"
    for name, own in methods.items():
        if budget is None:
            break
        share = _mean(own, budget.kind) / budget.amount
        if share < _USED_UP:
            used = f"{100 * share:.0f} % of the budget of {budget.amount:g} {budget.kind}"
            yield f"{printable(name, _NAME_WIDTH)} used {used}: its steps ended it"
    if trained:
        yield "samples, tokens (generated) and seconds are means a run, without evaluations"
