"""What a task of the nugget offers: it asks, it reads its own and BBH's wordings, and it writes the steps."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

P = TypeVar("P")


class Pen:
    """Writes down the result of each step; the step numbered ``slip``, if any, comes out wrong.

    Every result passes through one of the methods, so that a writer's steps and the numbers of its steps
    are the same text with and without a slip. Later steps follow from what was written, wrong or not.
    """

    def __init__(self, rng: random.Random, slip: int | None = None) -> None:
        self.rng = rng
        self.slip = slip
        self.steps = 0

    def _slips(self) -> bool:
        self.steps += 1
        return self.slip == self.steps - 1

    def number(self, value: int, low: int | None = None) -> int:
        """``value``, or when this step slips a number at most 2 away (and not below ``low``)."""
        if not self._slips():
            return value
        near = [value + d for d in (-2, -1, 1, 2) if low is None or value + d >= low]
        return self.rng.choice(near)

    def truth(self, value: bool) -> bool:
        """``value``, or its opposite when this step slips."""
        return value != self._slips()

    def word(self, value: str, others: list[str]) -> str:
        """``value``, or one of ``others`` when this step slips."""
        return self.rng.choice([o for o in others if o != value]) if self._slips() else value


class TaskForm(ABC, Generic[P]):
    """One form of question. ``P`` is what a question says once it is read."""

    name: str
    answer_type: str
    binary: bool = False
    """Two possible answers, so that a bare guess is right half of the time."""

    @abstractmethod
    def ask(self, rng: random.Random, level: str) -> str:
        """A question in BBH's wording or in our own; ``level`` is a wish that the caller checks with ``level``."""

    @abstractmethod
    def parse(self, text: str) -> P:
        """Read a question of ours or of BBH; ValueError where the text is not of this task."""

    @abstractmethod
    def level(self, problem: P) -> str:
        """``easy`` or ``hard``."""

    @abstractmethod
    def steps(self, problem: P, pen: Pen) -> tuple[str, str]:
        """The careful procedure: its text, and the answer that it arrives at."""

    @abstractmethod
    def shortcut(self, problem: P, pen: Pen) -> tuple[str, str]:
        """A plausible procedure that is systematically wrong: its text, and the answer that it arrives at."""

    @abstractmethod
    def guess(self, problem: P, rng: random.Random) -> str:
        """An answer at a glance, for writers who only answer."""

    def solve(self, problem: P) -> str:
        """The right answer."""
        return self.steps(problem, Pen(random.Random(0)))[1]


def yes_no(value: bool) -> str:
    """``Yes`` or ``No``."""
    return "Yes" if value else "No"
