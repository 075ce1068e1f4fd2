"""STaR: learn from the model's most likely rationale where it is right, else from a hinted one.

    (1/Q) sum_q s(z*_q),     z*_q = argmax_z p(z | x) if that is right, else the most likely one under a prompt that
                             tells the answer ("rationalisation"), if that is right, else nothing

where s = grad log p(z | x), the hint left out. The argmax is the greedy one, token by token. This is hard EM: the
posterior p(z | x, y) is replaced by one point, and what is ascended is log p(z* | x), not log p(y | x). A greedy
rationale is no sample, so there is no weight on grad pi to state: a question that the model answers rightly pushes
one rationale towards probability 1 with its full weight however often it is right already, and one whose hinted try
fails as well is left out.

Two forms. The paper's outer loop (``refits`` of them): draw for all training questions, start from the base model
again, fit what was kept, each fit 20 % longer than the one before. Online (``refits=0``): draw for the questions of
each step, and go on from the current weights.

Left out: the few-shot prompt is the user's choice (``--few-shot``); the paper always has one.

Source: Zelikman et al., "STaR: Bootstrapping Reasoning With Reasoning", 2022 (arXiv 2203.14465), Algorithm 1; as a
biased form of stochastic EM it is discussed by Phan, Hoffman et al. 2023 (arXiv 2312.02179).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from aurify.errors import UsageError
from aurify.methods.base import EStep, Method
from aurify.methods.fitting import fit_step
from aurify.rationales import Chain, Rationale
from aurify.registry import setting


@dataclass(frozen=True)
class Star(Method):
    """STaR: learn from the model's most likely rationale where it is right, else from a hinted one."""

    samples: int = 1
    refits: int = setting(6, "Fits from the base model, each on new rationales; 0: learn online.", ge=0)
    growth: ClassVar[float] = 1.2
    greedy: ClassVar[bool] = True
    rationalises: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.samples != 1:
            raise UsageError("star learns from one rationale a question: leave --samples")

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn from the right one of each question (see ``methods.base.Method``).

        ``rationalised`` is the share of questions learned from a hinted rationale.
        """
        found = fit_step(key, step, chains, proposals)
        hinted = [any(sample.right and sample.source == "guide" for sample in row) for row in proposals]
        found.info["rationalised"] = sum(hinted) / len(hinted)
        return found
