"""Prompting without tuning: what the model answers as it stands, after worked examples (``--few-shot``) or none.

It learns nothing, has no weight on grad pi and takes no step; a run of it is its evaluation, for the others to be
compared with.

Source: the few-shot baselines of Phan, Hoffman et al. 2023 (arXiv 2312.02179).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from aurify.methods.base import EStep, Method
from aurify.rationales import Chain, Rationale


@dataclass(frozen=True)
class Prompting(Method):
    """Prompting without tuning: what the model answers as it stands, after worked examples (--few-shot) or none."""

    samples: int = 1
    learns: ClassVar[bool] = False

    def e_step(self, key: int, step: int, chains: Sequence[Chain], proposals: Sequence[Sequence[Rationale]]) -> EStep:
        """Learn nothing (see ``methods.base.Method``)."""
        return EStep(list(chains), [], {})
