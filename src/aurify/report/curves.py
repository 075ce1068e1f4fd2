"""Curves of a run: its metrics by step, grouped as a person asks for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

Line = Mapping[str, Any]
Values = list[float | None]

MOST_POINTS = 1000
"""Of a longer curve every point is the mean of as many steps as are needed to have no more."""
MOST_TASKS = 8
"""Tasks that have curves of their own."""


class Series(NamedTuple):
    """One line of a chart."""

    label: str
    values: Values
    low: Values | None = None
    high: Values | None = None


@dataclass(frozen=True)
class Curve:
    """A chart over steps."""

    title: str
    about: str
    """What it says, for who sees it for the first time."""
    steps: list[int]
    series: list[Series]
    percent: bool = False
    """Whether the values are fractions, shown in percent."""

    def to_dict(self) -> dict[str, Any]:
        """As the page takes it."""
        return {
            "title": self.title, "about": self.about, "steps": self.steps, "percent": self.percent,
            "series": [{k: v for k, v in one._asdict().items() if v is not None} for one in self.series],
        }  # fmt: skip


class _Figure(NamedTuple):
    title: str
    about: str
    keys: Mapping[str, str]
    """Labels by the name in metrics.jsonl."""
    percent: bool = False


_FIGURES = (
    _Figure(
        "Proposals and chains",
        "The share of proposals that are right, and of questions that have a right rationale, fresh or remembered.",
        {"acceptance": "proposals right", "valid_chains": "questions with a right rationale",
         "accept_scale": "control variate (accept_scale)"},
        percent=True,
    ),
    _Figure(
        "Signal of the gradient",
        "The cosine of the gradients of successive steps: on average, the share of a gradient's power that is no "
        "noise.",
        {"gradient_cosine": "cosine with the step before"},
    ),
    _Figure("Age of the memory", "Steps since the remembered rationales were drawn, on average.",
           {"chain_age": "steps"}),
    _Figure(
        "Effect of a step, nats",
        "How far a step moved the model's own samples (KL divergence), beside its bound.",
        {"kl": "KL of the step", "kl_bound": "bound"},
    ),
    _Figure(
        "Learned rationales became likelier",
        "The share of the rationales learned from that the step made likelier; below a half, steps are too noisy.",
        {"raised": "share"}, percent=True,
    ),
    _Figure("Gain of a step, nats", "How much likelier, on average, a step made a rationale that it learned from.",
           {"gain": "gain"}),
    _Figure(
        "Sequences that count",
        "How many sequences of equal weight would make a gradient as noisy: (sum |w|)^2 / sum w^2.",
        {"effective_sequences": "sequences"},
    ),
    _Figure("Signal and noise of the gradient", "The signal-to-noise ratio, as far as the run measured it.",
           {"signal_to_noise": "signal to noise", "snr": "signal to noise"}),
    _Figure("Loss", "The loss of each stage.", {"loss": "loss"}),
    _Figure("Gradient", "The gradient's norm before clipping.", {"gradient_norm": "norm"}),
    _Figure("Learning rate", "The rate of each step.", {"learning_rate": "rate"}),
    _Figure("Negative weight", "How much of the weight lies on wrong proposals, pushing away from them.",
           {"wrong_weight_share": "share on wrong proposals"}, percent=True),
)  # fmt: skip

_TOLD_ELSEWHERE = {"step", "updated", "samples", "generated_tokens"}


def curves(lines: Sequence[Line]) -> list[Curve]:
    """All curves that the lines of a metrics.jsonl hold; what is numeric and not known here has a curve of its own."""
    steps = [line for line in lines if "updated" in line]
    found = [*_accuracy([line for line in lines if "held_out" in line])]
    known = set(_TOLD_ELSEWHERE)
    for group in _FIGURES:
        known |= group.keys.keys()
        series = [Series(label, _column(steps, key)) for key, label in group.keys.items()]
        found.append(_binned(group.title, group.about, steps, _present(series), percent=group.percent))
    found += [_verdicts(steps), _tokens(steps), _seconds(steps)]
    others = dict.fromkeys(key for line in steps for key, value in line.items() if _number(value) is not None)
    for key in others:
        if key not in known:
            series = [Series(key, _column(steps, key))]
            found.append(_binned(key.replace("_", " "), f"{key} in metrics.jsonl.", steps, _present(series)))
    return [curve for curve in found if curve.series]


def _accuracy(measured: Sequence[Line]) -> Iterator[Curve]:
    steps = [line["step"] for line in measured]
    columns = {key: [_number(line["held_out"].get(key)) for line in measured] for key in ("accuracy", "low", "high")}
    series = [Series("all questions", columns["accuracy"], columns["low"], columns["high"])]
    tasks = sorted({task for line in measured for task in line["held_out"].get("tasks", {})})
    if 1 < len(tasks) <= MOST_TASKS:
        for task in tasks:
            own = [line["held_out"].get("tasks", {}).get(task, {}) for line in measured]
            series.append(Series(task, [_number(one.get("accuracy")) for one in own]))
    about = "Greedy accuracy on the held-out questions, with its 95 % interval."
    yield Curve("Accuracy", about, steps, series if measured else [], percent=True)


def _verdicts(steps: Sequence[Line]) -> Curve:
    verdicts = sorted({verdict for line in steps for verdict in line.get("verdicts", {})})
    total = [sum(line.get("verdicts", {}).values()) for line in steps]
    series = [
        Series(verdict, [line.get("verdicts", {}).get(verdict, 0) / n if n else None
                         for line, n in zip(steps, total, strict=True)])
        for verdict in verdicts
    ]  # fmt: skip
    about = "What became of the model's proposals."
    return _binned("Verdicts", about, steps, _present(series), percent=True)


def _tokens(steps: Sequence[Line]) -> Curve:
    drawn = list(accumulate(_number(line.get("generated_tokens")) or 0.0 for line in steps))
    series = [Series("generated so far", list(drawn))] if drawn and drawn[-1] else []
    return _binned("Tokens", "Tokens generated for training so far.", steps, series)


def _seconds(steps: Sequence[Line]) -> Curve:
    timing = [line.get("timing", {}) for line in steps]
    labels = {"seconds": "the whole step", "sample_seconds": "sampling", "update_seconds": "updating"}
    series = _present([Series(label, _column(timing, key)) for key, label in labels.items()])
    return _binned("Seconds a step", "Where the time goes; evaluations are not counted.", steps, series)


def _column(lines: Sequence[Line], key: str) -> Values:
    return [_number(line.get(key)) for line in lines]


def _present(series: Sequence[Series]) -> list[Series]:
    """The series that hold a value."""
    return [one for one in series if any(value is not None for value in one.values)]


def _binned(title: str, about: str, lines: Sequence[Line], series: Sequence[Series], *, percent: bool = False) -> Curve:
    """The curve with at most ``MOST_POINTS`` points."""
    size = -(-len(lines) // MOST_POINTS) or 1
    steps = [int(line["step"]) for line in lines[size - 1 :: size]]
    shown = [Series(one.label, _means(one.values, size)[: len(steps)]) for one in series]
    return Curve(title, about, steps, shown, percent)


def _means(values: Values, size: int) -> Values:
    if size == 1:
        return values
    parts = [[v for v in values[start : start + size] if v is not None] for start in range(0, len(values), size)]
    return [sum(part) / len(part) if part else None for part in parts]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
