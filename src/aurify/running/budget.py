"""A limit on what a run may cost, so that methods can be compared at the same cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

BudgetKind = Literal["samples", "tokens", "seconds"]
BUDGET_KINDS: tuple[BudgetKind, ...] = ("samples", "tokens", "seconds")
STEPS_WITHOUT_END = 1_000_000
"""As many as any budget needs."""


class Budget(NamedTuple):
    """A run ends with the step that uses it up; evaluations do not count."""

    kind: BudgetKind
    amount: float
    looks: int = 0
    """Evaluations while it is used, as near as steps allow at equal distances."""
    recorded: bool = False
    """Whether the run's own settings hold it."""

    def cost(self, line: Mapping[str, Any]) -> float:
        """What the step of a line of metrics.jsonl took of it."""
        return cost_of_step(line)[self.kind]


class Spending:
    """What a run has taken of its budget so far, in all and in its present part.

    Args:
        parts: the first steps of the parts, where it is parts that draw: one is begun only where as much as the last
            one took is left.
    """

    def __init__(self, budget: Budget | None = None, parts: Sequence[int] = ()) -> None:
        self.budget, self.parts = budget, parts
        self.total = self.of_part = 0.0
        self.look_due = False
        """Whether the last step was one after which the budget has an evaluation."""

    @property
    def share(self) -> float:
        """The used share of the budget; 0 without one."""
        return self.total / self.budget.amount if self.budget else 0.0

    def expected_steps(self, step: int, steps: int) -> int:
        """How many of ``steps`` there will be, by what those up to ``step`` took."""
        if not self.total or not self.budget:
            return steps
        return max(step, min(steps, math.ceil(step * self.budget.amount / self.total)))

    def add(self, line: Mapping[str, Any]) -> None:
        """Count a line of metrics.jsonl."""
        if self.budget is None or "updated" not in line:
            return
        cost = self.budget.cost(line)
        looks = self.budget.looks / self.budget.amount
        self.look_due = int(looks * self.total) < int(looks * (self.total + cost))
        self.total += cost
        self.of_part = cost + (0.0 if line["step"] in self.parts else self.of_part)

    def used_up(self, step: int) -> bool:
        """Whether this was the last step that the budget allows."""
        if self.budget is None or step == 0:
            return False
        if self.total >= self.budget.amount and (not self.parts or self.budget.kind == "seconds"):
            return True
        return step + 1 in self.parts and self.total + self.of_part > self.budget.amount


def cost_of_step(line: Mapping[str, Any]) -> dict[BudgetKind, float]:
    """Rationales drawn, tokens generated and seconds of a step; nothing for the line of an evaluation.

    What a distillation draws before its first step counts there.
    """
    if "updated" not in line:
        return {"samples": 0, "tokens": 0, "seconds": 0}
    return {
        "samples": line.get("samples", 0),
        "tokens": line.get("generated_tokens", 0),  # most steps of distillation draw nothing
        "seconds": line["timing"]["seconds"] + line["timing"].get("seconds_before", 0.0),
    }
