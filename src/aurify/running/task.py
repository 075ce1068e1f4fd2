"""What a loop runs: the parameters, one step after another, and the state beside the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from aurify.files import Kept
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


class Task(ABC):
    """What is learned. Steps count from 1; whatever a step does must follow from its number and the state."""

    parameters: Mapping[str, torch.nn.Parameter]
    """All that a checkpoint must hold, by name."""
    ends: Sequence[int]
    """The steps after which a part of the task is done, where it is evaluated and saved; the last one ends it."""
    renewed_after: Sequence[int] = ()
    """Further steps after which it is saved: weights begin anew in the next one, which may be broken off."""

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.ends[-1]

    @property
    @abstractmethod
    def optimizer(self) -> torch.optim.Optimizer:
        """The one in use."""

    @abstractmethod
    def step(self, step: int) -> Stepped:
        """Take a step."""

    @abstractmethod
    def evaluate(self, step: int) -> Measured | None:
        """Measure the model as it is after a step (0: as it was given) on what is held out; None: there is nothing."""

    def begin(self, step: int) -> None:  # noqa: B027  # most have nothing to do
        """Called once, after ``step`` steps (0: of a new run, which has been evaluated) and before the next one."""

    def state(self, step: int) -> dict[str, bytes | Kept]:
        """Everything but weights and optimiser that the step after this one depends on, by file name."""
        return {}

    def turn_to(self, step: int) -> None:  # noqa: B027  # most have one optimiser
        """Have the optimiser in use that took this step, so that its state can be loaded.

        Raises:
            AurifyError: there is no such step.
        """

    def restore(self, step: int, state: Mapping[str, bytes]) -> None:  # noqa: B027  # most have no state
        """Go back to what ``state`` was after a step; weights and optimiser are there again already."""
