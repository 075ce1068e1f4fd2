"""What a method is: an E-step, pure in (key, chains, proposals), that says what to learn from and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from aurify.rationales import Chain, Rationale


@dataclass(frozen=True)
class Term:
    """One term of the M-step's sum_i w_i log p(z_i | x_i)."""

    question_id: str
    token_ids: tuple[int, ...]
    weight: float


class EStep(NamedTuple):
    """The new chains (in the questions' order), the terms to ascend, and what happened, by name."""

    chains: list[Chain]
    terms: list[Term]
    info: dict[str, float]


class Method(Protocol):
    """An E-step and what it needs drawn: ``samples`` proposals a question from the model itself."""

    remembers: ClassVar[bool]
    """Whether it learns from the memory, so that chains want a first rationale."""

    @property
    def samples(self) -> int: ...

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """One E-step.

        Args:
            key: the seed of every random choice made here.
            step: the number of this step, from 1.
            chains: the state of each question's chain before this step [Q], every question once.
            proposals: each question's graded proposals [Q][S], drawn from the current model.
        """
        ...
