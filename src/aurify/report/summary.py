"""The first screen: before and after, whether that is real, what it cost, and three questions that flipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aurify.rationales import Rationale
from aurify.report.source import RunSource
from aurify.running.budget import cost_of_step
from aurify.running.export import accuracies
from aurify.statistics import Accuracy
from aurify.statistics.paired import Pair, change

FLIPS = 3
"""Questions that are shown on the first screen."""
SNIPPET = 600
"""Characters of a text on the first screen."""


class Real(NamedTuple):
    """Whether after differs from before beyond doubt."""

    word: str
    """better, worse or unknown."""
    sentence: str


class Flip(NamedTuple):
    """A held-out question whose verdict changed."""

    id: str
    question: str
    answer: str
    before: Rationale
    after: Rationale


class TaskAccuracies(NamedTuple):
    """Accuracy on the questions of one task."""

    name: str
    before: Accuracy
    after: Accuracy


class Fact(NamedTuple):
    """A number with its name and, perhaps, a word more."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """What a person with ten seconds sees of one run."""

    name: str
    method: str
    model: str
    data: str
    state: str
    """How far the run is; empty of a finished one."""
    finished: bool
    before: Accuracy | None
    after: Accuracy | None
    after_step: int
    real: Real | None
    facts: list[Fact]
    flips: list[Flip]
    tasks: list[TaskAccuracies]
    unit: list[dict[str, Any]]
    """Of a NAT run, the tokens at which its unit takes away most of, and adds most to, the negative adapter's part."""
    read: list[dict[str, Any]]
    """Of a NAT run, a few rationales as tokens, ``text``, with the unit's weight at each, ``weights``."""


def summarise(source: RunSource) -> Summary:
    """The first screen of a run."""
    before, after = accuracies(source.lines)
    measured = [line for line in source.lines if "held_out" in line]
    pair = _paired(source)
    return Summary(
        source.folder.name, source.method, str(source.config.get("model", "")), str(source.config.get("data", "")),
        _state(source), source.finished, before, after, measured[-1]["step"] if measured else 0, _real(pair),
        _facts(source), _flips(source), _tasks(measured), _unit(source.folder / "unit_weights.jsonl", "token"),
        _unit(source.folder / "unit_weights.jsonl", "text"),
    )  # fmt: skip


def _state(source: RunSource) -> str:
    if source.finished:
        return ""
    step = max((line["step"] for line in source.lines), default=0)
    whole = source.config.get("max_time") or source.config.get("steps")
    return f"not finished: step {step}" + (f" of {whole}" if whole else "")


def _paired(source: RunSource) -> Pair | None:
    """After against before on the same questions."""
    evaluations = list(source.evaluations().values())
    if len(evaluations) < 2:
        return None
    first, last = ({key: float(row.right) for key, row in rows.items()} for rows in (evaluations[0], evaluations[-1]))
    return change(first, last)


def _real(pair: Pair | None) -> Real | None:
    if pair is None:
        return None
    change = (
        f"{100 * pair.difference.value:+.1f} points (95 % interval {100 * pair.difference.low:+.1f} to "
        f"{100 * pair.difference.high:+.1f}); {pair.only_first} questions flipped to right and {pair.only_second} to "
        f"wrong, {_p(pair.p)}"
    )
    if pair.ahead is None:
        return Real("unknown", f"It cannot be told: {change}. More held-out questions would tell.")
    if pair.ahead == "after":
        return Real("better", f"Yes, on such questions: {change}. What another seed would give, one run cannot say.")
    return Real("worse", f"It became worse: {change}.")


def _p(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _facts(source: RunSource) -> list[Fact]:
    costs = [cost_of_step(line) for line in source.lines]
    total = {kind: sum(cost[kind] for cost in costs) for kind in ("samples", "tokens", "seconds")}
    timing = [line.get("timing", {}) for line in source.lines if "updated" in line]
    evaluating = sum(line.get("timing", {}).get("seconds", 0.0) for line in source.lines if "held_out" in line)
    sampling = sum(one.get("sample_seconds", 0.0) + one.get("seconds_before", 0.0) for one in timing)
    steps = sum("updated" in line for line in source.lines)
    shown = sum(one.part == "trained" for one in source.asked)
    trained = shown + source.left_out
    facts = [Fact("training", _seconds(total["seconds"]), f"{steps} steps, {trained:,} questions")]
    if total["samples"]:
        share = f"{100 * sampling / total['seconds']:.0f} % of the time" if sampling and total["seconds"] else ""
        facts.append(Fact("rationales drawn", f"{total['samples']:,.0f}", share))
    if total["tokens"]:
        rate = f"{total['tokens'] / total['seconds']:,.0f} a second" if total["seconds"] else ""
        facts.append(Fact("tokens generated", f"{total['tokens']:,.0f}", rate))
    if source.left_out:
        facts.append(Fact("trained on, and shown here", f"{shown:,} of {trained:,} questions", "evenly chosen"))
    if evaluating:
        facts.append(Fact("evaluating", _seconds(evaluating), "not counted above"))
    if peak := max((one.get("peak_memory_mb", 0.0) for one in timing), default=0.0):
        facts.append(Fact("peak memory", f"{peak / 1024:.1f} GiB" if peak >= 1024 else f"{peak:.0f} MiB"))
    return facts


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _flips(source: RunSource) -> list[Flip]:
    """Three questions: two that became right, of different tasks where it can be, and one that became wrong."""
    evaluations = list(source.evaluations().values())
    if len(evaluations) < 2:
        return []
    first, last = evaluations[0], evaluations[-1]
    asked = {one.question.id: one.question for one in source.asked}
    found = [
        (asked[key].task, Flip(key, asked[key].text, asked[key].answer, first[key], last[key]))
        for key in asked
        if key in first and key in last and first[key].right != last[key].right
    ]
    gained = _of_different_tasks([one for one in found if one[1].after.right])
    lost = _of_different_tasks([one for one in found if not one[1].after.right])
    n_gained = min(len(gained), FLIPS - min(len(lost), 1))
    return [*gained[:n_gained], *lost[: FLIPS - n_gained]]


def _of_different_tasks(found: Sequence[tuple[str, Flip]]) -> list[Flip]:
    chosen: dict[str, Flip] = {}
    for task, flip in found:
        chosen.setdefault(task, flip)
    firsts = list(chosen.values())
    return firsts + [flip for _, flip in found if all(flip is not other for other in firsts)]


def _tasks(measured: Sequence[Mapping[str, Any]]) -> list[TaskAccuracies]:
    """By task, where there are several."""
    if not measured:
        return []
    first, last = (line["held_out"].get("tasks", {}) for line in (measured[0], measured[-1]))
    both = [name for name in last if name in first]
    return (
        [TaskAccuracies(name, _accuracy(first[name]), _accuracy(last[name])) for name in both] if len(both) > 1 else []
    )


def _accuracy(found: Mapping[str, Any]) -> Accuracy:
    return Accuracy(found["right"], found["n"], found["low"], found["high"])


def _unit(path: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of unit_weights.jsonl that tell of a token, or of a whole text."""
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if kind in line]
