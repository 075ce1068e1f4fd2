"""What an evaluation found, and how it stands in JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aurify.evaluation.scores import Score
from aurify.evaluation.settings import EvaluateSettings
from aurify.rationales import Rationale


@dataclass
class Tally:
    """Counts over the rationales of one kind."""

    verdicts: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    scores: list[float] = field(default_factory=list)
    """What a reward function gave."""

    def add(self, rationales: Sequence[Rationale]) -> None:
        """Count these."""
        self.verdicts.update(str(rationale.verdict) for rationale in rationales)
        self.finish_reasons.update(rationale.finish_reason for rationale in rationales)
        self.tokens += sum(len(rationale.token_ids) for rationale in rationales)
        self.scores += [rationale.score for rationale in rationales if rationale.score is not None]

    @property
    def reward(self) -> float | None:
        """The mean of the scores; None where there are none."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else None


@dataclass(frozen=True)
class GroupScores:
    """A group of questions: how many, and their accuracies by name."""

    n: int
    scores: dict[str, Score]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        return {"n": self.n, **{name: value._asdict() for name, value in self.scores.items()}}


@dataclass(frozen=True)
class Evaluation:
    """A finished evaluation."""

    settings: EvaluateSettings
    overall: GroupScores
    tasks: dict[str, GroupScores]
    levels: dict[str, GroupScores]
    """Empty where no question has a level."""
    tallies: dict[str, Tally]
    """Of the ``greedy`` rationales, and of the ``sampled`` ones where there are any."""
    seconds: float
    """From the first prompt to the last verdict, without loading the model."""

    def to_dict(self) -> dict[str, Any]:
        """The contents of the JSON file; accuracies are fractions."""
        facts = self.settings
        rewards = {name: tally.reward for name, tally in self.tallies.items() if tally.reward is not None}
        groups = {"tasks": self.tasks, **({"levels": self.levels} if self.levels else {})}
        return {
            "model": facts.model,
            "data": facts.data,
            "prompt": facts.prompt,
            "samples": facts.samples,
            "temperature": facts.temperature,
            "max_new_tokens": facts.max_new_tokens,
            "seed": facts.seed,
            **({"vote": facts.vote, "ranker": facts.ranker, "weight": facts.weight} if facts.vote else {}),
            **({"stop": facts.stop, "sure": facts.sure} if facts.stop != "never" else {}),
            "overall": self.overall.to_dict(),
            **{name: {key: one.to_dict() for key, one in group.items()} for name, group in groups.items()},
            "verdicts": {name: dict(sorted(tally.verdicts.items())) for name, tally in self.tallies.items()},
            "finish_reasons": {
                name: dict(sorted(tally.finish_reasons.items())) for name, tally in self.tallies.items()
            },
            **({"reward": rewards} if rewards else {}),
            "generated_tokens": sum(tally.tokens for tally in self.tallies.values()),
            "seconds": self.seconds,
        }
