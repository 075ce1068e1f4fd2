"""Fits: how methods that start from the base model again divide a run, and what each fit learns from.

At the first step of a fit proposals are taken for all training questions; the steps after it learn from those of them
that have a right one. The proposals are rows of the run's table, so a resumed run finds them there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import torch

from aurify.errors import AurifyError
from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.seeds import stable_seed
from aurify.training.schedule import batch_of_step, fit_starts


class Fits:
    """The fits of one run; none for a method that learns online."""

    def __init__(
        self,
        train: Sequence[Question],
        *,
        steps: int,
        refits: int,
        growth: float,
        size: int,
        seed: int,
        advice: tuple[str, str],
        visits: int,
    ) -> None:
        """``size`` questions a step; ``advice``: who asks, and what to do where no question has a right rationale;
        ``visits``: see ``batch_of_step``."""
        self.train, self.steps, self.size, self.seed, self.advice = train, steps, size, seed, advice
        self.visits = visits
        self.starts = fit_starts(steps, refits, growth)
        self.pool: dict[str, list[Rationale]] = {}
        self._base: dict[str, torch.Tensor] = {}

    def __len__(self) -> int:
        return len(self.starts)

    def begins(self, step: int) -> bool:
        """Whether a fit begins at this step."""
        return step in self.starts

    def bounds(self, step: int) -> tuple[int, int]:
        """The first step of this step's fit, and of the next one; of the run and after it, where there are none."""
        starts = self.starts or [1]
        begun = bisect_right(starts, step)
        return starts[begun - 1], [*starts, self.steps + 1][begun]

    def batch(self, step: int) -> list[Question]:
        """The questions of a step, among those of the pool where there are fits."""
        if not self.starts:
            return batch_of_step(self.train, self.size, step, self.seed, self.visits)
        start, _ = self.bounds(step)
        kept = [question for question in self.train if question.id in self.pool]
        return batch_of_step(kept, self.size, step - start + 1, stable_seed(self.seed, "fit", start))

    def keep(self, rows: Sequence[Sequence[Rationale]]) -> None:
        """Make a pool of the questions whose row has a right rationale.

        Raises:
            AurifyError: there is none.
        """
        self.pool = {
            row[0].question_id: [sample for sample in row if not sample.left_out]
            for row in rows
            if any(sample.right for sample in row)
        }
        if not self.pool:
            name, advice = self.advice
            raise AurifyError(f"{name}: no training question has a right rationale to learn from: {advice}")

    def recall(self, step: int, samples: Iterable[Rationale]) -> None:
        """The pool of this step's fit, out of the run's table."""
        start, _ = self.bounds(step)
        rows: dict[str, list[Rationale]] = {question.id: [] for question in self.train}
        for sample in samples:
            if sample.step == start and sample.question_id in rows:
                rows[sample.question_id].append(sample)
        self.keep([row for row in rows.values() if row])

    def remember_base(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        """Keep a copy of the parameters that later fits start from, if there are any."""
        if self.starts[1:]:
            self._base = {name: value.detach().clone() for name, value in parameters.items()}

    @torch.no_grad()
    def restore_base(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        """Put the copy back."""
        for name, parameter in parameters.items():
            parameter.copy_(self._base[name])
