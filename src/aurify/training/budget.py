"""A limit on what a run may cost, so that methods can be compared at the same cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

BudgetKind = Literal["samples", "tokens", "seconds"]
KINDS: tuple[BudgetKind, ...] = ("samples", "tokens", "seconds")


class Budget(NamedTuple):
    """A run ends with the step that uses it up; evaluations do not count."""

    kind: BudgetKind
    amount: float

    def cost(self, line: Mapping[str, Any]) -> float:
        """What the step of a line of metrics.jsonl took of it."""
        return cost_of_step(line)[self.kind]


def cost_of_step(line: Mapping[str, Any]) -> dict[BudgetKind, float]:
    """Rationales drawn, tokens generated and seconds of a step; nothing for the line of an evaluation."""
    if "updated" not in line:
        return {"samples": 0, "tokens": 0, "seconds": 0}
    return {
        "samples": line.get("samples", 0),
        "tokens": line.get("generated_tokens", 0),  # distillation draws nothing
        "seconds": line["timing"]["seconds"],
    }
