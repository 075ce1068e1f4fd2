"""Distillation as a task: its stages one after another, each with an optimiser of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import torch

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer
from aurify.distillation.likelihood import score_examples
from aurify.distillation.settings import DistillSettings
from aurify.distillation.stages import Stage
from aurify.distillation.teaching import DrawnBefore
from aurify.errors import AurifyError
from aurify.models.nat.model import adapters
from aurify.models.sharding import in_pieces, join, split
from aurify.questions import Prompts, Question
from aurify.rationales import Drawing
from aurify.running.held_out import greedy_accuracy
from aurify.running.interrupt import StopRequest
from aurify.running.task import Measured, Stepped, Task
from aurify.running.world import World
from aurify.seeds import stable_seed
from aurify.training.m_step import ascend, build_optimizer
from aurify.training.schedule import batch_of_step, learning_rate


@dataclass(frozen=True)
class HeldOut:
    """What a student is measured on."""

    questions: Sequence[Question]
    examples: Sequence[Example]
    """Right and wrong rationales of such questions, whose likelihood is compared; may be empty."""


class Distillation(Task):
    """A student on its way through the stages.

    Args:
        start_mode: the adapters of the model that was given, which is evaluated before the first step.
        peak_rate: of each stage's learning rate.
        drawn: it stands in the metrics of the first step.
    """

    def __init__(
        self,
        settings: DistillSettings,
        stages: Sequence[Stage],
        scorer: ExampleScorer,
        prompts: Prompts,
        drawing: Drawing,
        world: World,
        say: Callable[[str], None],
        stop: StopRequest,
        *,
        held_out: HeldOut,
        start_mode: str,
        peak_rate: float,
        drawn: DrawnBefore = DrawnBefore(),  # noqa: B008  # it is immutable
    ) -> None:
        self.settings, self.stages, self.scorer, self.model = settings, stages, scorer, scorer.model
        self.prompts, self.drawing, self.world, self.say = prompts, drawing, world, say
        self.stop = stop
        self.held_out, self.start_mode, self.peak_rate, self.drawn = held_out, start_mode, peak_rate, drawn
        self.ends = list(accumulate(stage.steps(settings) for stage in stages))
        self.parameters: dict[str, torch.nn.Parameter] = {}
        """Of all stages: a checkpoint holds what earlier ones trained too."""
        for stage in stages:
            self.parameters.update(stage.begin(self.model))
        self.trained: list[torch.nn.Parameter] = []
        self._optimizer: torch.optim.Optimizer

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The present stage's."""
        return self._optimizer

    def step(self, step: int) -> Stepped:
        """A batch of the stage's rationales, the gradient of its loss on them, and an update."""
        stage, first, last = self._stage_of(step)
        if step == first:
            self._begin(stage)
        number, steps = step - first + 1, last - first + 1
        batch = batch_of_step(stage.groups, stage.size, number, stable_seed(self.settings.seed, stage.name))
        split(self.model)
        breaking = partial(self.stop.breaking, in_step=in_pieces(self.model))
        with adapters(self.model, stage.mode):
            found = stage.gradient(batch, breaking)
        warmup = min(self.settings.warmup, steps - 1)
        rate = learning_rate(number, steps, self.peak_rate, self.settings.lr_final, warmup)
        self.world.sum_gradients(self.trained)
        norm = ascend(self._optimizer, self.trained, rate=rate, clip=self.settings.clip)
        facts: dict[str, Any] = {
            "stage": stage.name, **found, "updated": True, "learning_rate": rate, "gradient_norm": norm,
            **(self.drawn.facts if step == 1 else {}),
        }  # fmt: skip
        before = {"seconds_before": self.drawn.seconds} if step == 1 and self.drawn.seconds else {}
        return Stepped(facts, int(found["tokens"]), before)

    def evaluate(self, step: int) -> Measured | None:
        """Greedy accuracy, and the likelihood of right and wrong rationales, with the adapters of the stage."""
        if not self.held_out.questions and not self.held_out.examples:
            return None
        stage = self._stage_of(step)[0] if step else None
        join(self.model)
        with adapters(self.model, stage.mode if stage else self.start_mode):
            measured = Measured({})
            if self.held_out.questions:
                measured = greedy_accuracy(self.held_out.questions, self.drawing, self.prompts, self.world, step)
            facts = {"stage": stage.name if stage else "start", **measured.facts}
            if self.held_out.examples:
                facts["held_out_likelihood"] = score_examples(self.scorer, self.held_out.examples)
        return Measured(facts, measured.rationales, measured.accuracy)

    def turn_to(self, step: int) -> None:
        """Begin the stage that a step belongs to, so that its optimiser is there.

        Raises:
            AurifyError: there is no such step.
        """
        if step > self.steps:
            raise AurifyError(f"step {step} is beyond the {self.steps} steps of this run")
        self._begin(self._stage_of(step)[0])

    def _stage_of(self, step: int) -> tuple[Stage, int, int]:
        """The stage that a step belongs to, its first step and its last one."""
        index = next(index for index, end in enumerate(self.ends) if step <= end)
        return self.stages[index], self.ends[index - 1] + 1 if index else 1, self.ends[index]

    def _begin(self, stage: Stage) -> None:
        """Turn to a stage, with a fresh optimiser."""
        self.trained = list(stage.begin(self.model).values())
        self._optimizer = build_optimizer(self.trained, "lora", rate=self.peak_rate, weight_decay=0.0)
        rationales = sum(map(len, stage.groups))
        self.say(
            f"{self.settings.method}, stage {stage.name}: {sum(p.numel() for p in self.trained):,} parameters at rate "
            f"{self.peak_rate:.3g}, {rationales} rationales, {stage.steps(self.settings)} steps"
        )
