"""What a loop runs: the parameters, one step after another, and the state beside the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from aurify.rationales import Rationale
from aurify.statistics import Accuracy


@dataclass(frozen=True)
class Stepped:
    """What a step did: its line of metrics.jsonl."""

    facts: dict[str, Any]
    """Functions of settings and data alone; ``updated`` among them."""
    tokens: int
    """What was generated, or learned from: the tokens whose number a second is told."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Parts of the step's seconds, by the names that they have under ``timing``."""


@dataclass(frozen=True)
class Measured:
    """An evaluation: its line of metrics.jsonl, and the greedy rationales of the held-out questions, if any."""

    facts: dict[str, Any]
    rationales: Sequence[Rationale] = ()
    accuracy: Accuracy | None = None


class Task(Protocol):
    """What is learned. Steps count from 1; whatever a step does must follow from its number and the state."""

    @property
    def steps(self) -> int:
        """How many there are."""

    @property
    def ends(self) -> Sequence[int]:
        """The steps after which a part of the task is done, where it is evaluated and saved; ``steps`` is the last."""

    @property
    def parameters(self) -> Mapping[str, torch.nn.Parameter]:
        """All that a checkpoint must hold, by name."""

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The one in use."""

    def turn_to(self, step: int) -> None:
        """Have the optimiser in use that took this step, so that its state can be loaded.

        Raises:
            AurifyError: there is no such step.
        """

    def restore(self, step: int, state: Mapping[str, bytes]) -> None:
        """Go back to what ``state`` was after a step; weights and optimiser are there again already."""

    def state(self) -> dict[str, bytes]:
        """Everything but weights and optimiser that the next step depends on, by file name."""

    def begin(self, step: int) -> None:
        """Called once, after ``step`` steps (0: of a new run, which has been evaluated) and before the next one."""

    def step(self, step: int) -> Stepped:
        """Take a step."""

    def evaluate(self, step: int) -> Measured | None:
        """Measure the model as it is after a step (0: as it was given) on what is held out; None: there is nothing."""
