"""CoT tuning: maximum likelihood of rationales that stand beforehand.

    (1/Q) sum_q (1/n_q) sum_k s(z_qk),     z_q1 .. z_qn the right rationales given for question q

where s = grad log p(z | x). The rationales are the data set's own (``--memory gold``), a table's, such as a teacher's
(``--memory table``), or drawn once from the base model under the hinted prompt (``--memory guide``, ``samples`` a
question). With q(z | x, y) for whoever wrote them, the expectation is -grad KL(q || p(z | x)): the mean of their
writing, not of the model's own posterior. It has no weight on grad pi.

Only rationales that our own grader finds right are learned from; a question without one is left out.

Source: the baselines of Phan, Hoffman et al. 2023 (arXiv 2312.02179): chain-of-thought tuning on given or
bootstrapped rationales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from aurify.methods.base import EStep, Method
from aurify.methods.fitting import fit_step
from aurify.rationales import Chain, Rationale


@dataclass(frozen=True)
class CoT(Method):
    """CoT tuning: maximum likelihood of rationales that stand beforehand, or that the hinted model writes once."""

    samples: int = 4
    refits: int = 1
    given: ClassVar[bool] = True

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn the given rationales (see ``methods.base.Method``)."""
        return fit_step(key, step, chains, proposals)
