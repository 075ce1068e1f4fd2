"""Direct tuning: learn the answer alone, without a rationale.

    (1/Q) sum_q grad log p(y_q | x_q)

where the prompt asks for the answer at once (``--prompt direct``) and y is the known answer. It is maximum likelihood
of the same quantity as TRICE's, of a model without a latent variable: the gradient is exact, and weighs grad of the
direct answer's probability by one over that probability. What it cannot do is compute on the way to the answer.

Source: the baseline of Phan, Hoffman et al. 2023 (arXiv 2312.02179).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.fitting import fit_step
from aurify.rationales import Chain, Rationale


@dataclass(frozen=True)
class Direct(Method):
    """Direct tuning: learn the answer alone, without a rationale."""

    samples: int = 1
    refits: int = 1
    given: ClassVar[bool] = True
    given_by: ClassVar[tuple[str, ...]] = ("gold",)
    answers_alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.samples != 1:
            raise UsageError("direct learns from one answer a question: leave --samples")

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn the answers (see ``methods.base.Method``)."""
        return fit_step(key, step, chains, proposals)
