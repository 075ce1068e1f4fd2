"""What the doctor found, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aurify.doctor.advice import Advice
from aurify.doctor.trial import THOUGHT, Trial, kind
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.statistics.pass_rates import PassRates, Share

GROUP = 8
"""Samples of a group of GRPO, for the share of groups without signal."""
VISITS = (1, 4, 16)
SHOWN, EXAMPLES = 240, 2
"""Characters of an example, its last ones, and examples of a kind."""


@dataclass(frozen=True)
class Cost:
    """What a training step costs, measured on a few rationales and scaled up."""

    sample_seconds: float
    """Of drawing a rationale for each question of a step."""
    gradient_seconds: float
    """Of learning from as many."""
    peak_mb: float
    """Memory of this process at its highest so far."""
    questions: int
    """Of a step."""
    predicted: Sequence[str] = ()
    """What a step will take, where it is worth a word."""


@dataclass(frozen=True)
class Findings:
    """Everything that was found."""

    questions: Sequence[Question]
    trials: Sequence[Trial]
    advice: Advice
    cost: Cost | None
    prompt: str
    """The first question as it is sent."""
    untried: Sequence[str] = ()
    """Ways of asking that there was no time for."""

    def lines(self) -> Iterator[str]:
        """The report."""
        chosen, first = self.advice.chosen, self.trials[0]
        yield f"pilot     {len(self.questions)} questions, {first.samples} rationales each, for every way of asking"
        yield from _table(self.trials)
        if self.untried:
            yield f"          not tried, for time: {'; '.join(self.untried)} (a longer --max-time tries them)"
        yield ""
        yield f"verdicts  {chosen.name}, with examples (their last {SHOWN} characters)"
        for name, count in chosen.verdicts.most_common():
            yield f"  {name:<20} {count:>4}   {100 * count / len(chosen.all):.0f} %"
            examples = [rationale for rationale in chosen.all if kind(rationale) == name]
            for rationale in _of_several_questions(examples):
                reason = f" [{rationale.reason}]" if rationale.reason else ""
                yield f"      {rationale.question_id}: ...{' '.join(rationale.text.split())[-SHOWN:]}{reason}"
        yield ""
        yield from self._signal(chosen)
        if self.cost is not None:
            seconds = self.cost.sample_seconds + self.cost.gradient_seconds
            yield (
                f"cost      about {seconds:.0f} s a step of {self.cost.questions} questions here "
                f"({self.cost.sample_seconds:.0f} s to draw, at most {self.cost.gradient_seconds:.0f} s to learn), "
                f"{self.cost.peak_mb / 1024:.1f} GiB of memory so far"
            )
            for line in self.cost.predicted:
                yield f"          {line}"
        for line in self.advice.lines:
            yield f"advice    {line}"
        yield f"next      {self.advice.command}"

    def _signal(self, trial: Trial) -> Iterator[str]:
        n, rates = len(self.questions), PassRates(trial.right_Q, trial.samples)
        never, always = int((trial.right_Q == 0).sum()), int((trial.right_Q == trial.samples).sum())
        yield (
            f"questions {never} of {n} never right in {trial.samples}, {always} always right, "
            f"{n - never - always} between"
        )
        yield (
            f"signal    expected over all questions: groups of {GROUP} without any (all alike; GRPO, RLOO) "
            f"{_percent(rates.pure_in(GROUP))}"
        )
        visits = ", ".join(f"{_percent(rates.never_in(visit))} after {visit}" for visit in VISITS)
        yield f"          chains without a right rationale (trice): {visits} visits"

    def to_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "questions": [question.id for question in self.questions],
            "trials": [
                {
                    "name": trial.name,
                    "right": _right(trial),
                    "verdicts": dict(trial.verdicts),
                    "right_by_question": trial.right_Q.tolist(),
                    "tokens": trial.tokens,
                    "seconds": trial.seconds,
                }
                for trial in self.trials
            ],
            "untried": list(self.untried),
            "chosen": self.advice.chosen.name,
            "advice": self.advice.lines,
            "next": self.advice.command,
        }


def _right(trial: Trial) -> dict[str, float]:
    low, high = _interval(trial)
    return {
        "n": len(trial.all), "right": int(trial.right_Q.sum()), "accuracy": trial.rate, "low": low, "high": high,
    }  # fmt: skip


def _interval(trial: Trial) -> tuple[float, float]:
    """Of 95 %, over questions: a question's samples are alike. It holds what was found, also where that is 0 or 1."""
    interval = PassRates(trial.right_Q, trial.samples).right()
    return min(interval.low, trial.rate), max(interval.high, trial.rate)


def _table(trials: Sequence[Trial]) -> Iterator[str]:
    width = max(len(trial.name) for trial in trials)
    yield f"          {'asked':<{width}}  right (95 %)            cut  unread  tokens   against the first"
    for trial in trials:
        low, high = _interval(trial)
        right = f"{100 * trial.rate:5.1f} % ({100 * low:.0f} to {100 * high:.0f})"
        cut, unread = 100 * trial.share("truncated"), 100 * trial.share("unparsable", THOUGHT)
        row = f"          {trial.name:<{width}}  {right:<21} {cut:>3.0f} % {unread:>5.0f} %  {trial.tokens:>6.0f}"
        if trial is not trials[0]:
            difference = trial.better_than(trials[0])
            row += f"   {difference.points:+.0f} points, p {difference.p:.2g}"
        yield row


def _of_several_questions(rationales: Sequence[Rationale]) -> list[Rationale]:
    """The first of each question, a few of them."""
    first: dict[str, Rationale] = {}
    for rationale in rationales:
        first.setdefault(rationale.question_id, rationale)
    return list(first.values())[:EXAMPLES]


def _percent(share: Share) -> str:
    return f"{100 * share.mean:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"
