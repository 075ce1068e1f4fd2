"""The M-step of a run: one optimiser step on the terms that the E-step gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from aurify.clock import Clock
from aurify.methods import Term
from aurify.models import Tuned, trainable_parameters
from aurify.running.world import World
from aurify.training.m_step import accumulate_gradient, ascend, build_optimizer
from aurify.training.settings import TrainSettings


class Update:
    """What is trained, and by which optimiser.

    Args:
        pad_token_id: the tokenizer's.
    """

    def __init__(self, settings: TrainSettings, tuned: Tuned, world: World, clock: Clock, *, pad_token_id: int) -> None:
        self.settings, self.tuned, self.world, self.clock = settings, tuned, world, clock
        self.pad_token_id = pad_token_id
        self.parameters = trainable_parameters(tuned.model)
        self.peak_rate = settings.lr or tuned.learning_rate
        self.optimizer: torch.optim.Optimizer
        self.begin()

    def begin(self) -> None:
        """Start with a fresh optimiser."""
        self.optimizer = build_optimizer(
            list(self.parameters.values()), self.tuned.kind, rate=self.peak_rate,
            weight_decay=self.settings.weight_decay,
        )  # fmt: skip

    def __call__(self, terms: Sequence[Term], prompts: Mapping[str, tuple[int, ...]], rate: float) -> dict[str, Any]:
        """Ascend sum_i w_i log p(z_i | x_i) by one step, and say what was done.

        Without a term there is nothing to ascend, and no step is taken. The processes share the terms, so what is
        measured on them before and after the step is measured here.

        Args:
            prompts: token ids of the prompt of every question of this step, by question id.
        """
        if not terms:
            return {"updated": False, "learning_rate": rate, "gradient_norm": 0.0}
        longest_first = sorted(terms, key=lambda term: (-len(term.token_ids), term.question_id))
        mine = self.world.share(longest_first)
        tokens = sum(len(prompts[id]) for id in {term.question_id for term in mine})
        with self.clock.measure("gradient", tokens + sum(len(term.token_ids) for term in mine)):
            accumulate_gradient(
                self.tuned.model, mine, prompts, pad_token_id=self.pad_token_id,
                token_budget=self.settings.token_budget, bf16=self.settings.dtype != "float32",
            )  # fmt: skip
        parameters = list(self.parameters.values())
        with self.clock.measure("optimizer"):
            self.world.sum_gradients(parameters)
            norm = ascend(self.optimizer, parameters, rate=rate, clip=self.settings.clip)
        return {"updated": True, "learning_rate": rate, "gradient_norm": norm}
