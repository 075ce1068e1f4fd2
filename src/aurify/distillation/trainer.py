"""The loop of a distillation: stages one after another, and what must be written down on the way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from aurify.clock import peak_memory_mb
from aurify.distillation.examples import Example
from aurify.distillation.gradient import Scorer
from aurify.distillation.likelihood import score
from aurify.distillation.settings import DistillSettings
from aurify.distillation.stages import Stage
from aurify.errors import AurifyError
from aurify.models import trainable_parameters
from aurify.models.nat.model import set_mode
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Memory, RationaleTable
from aurify.seeds import stable_seed
from aurify.statistics import Accuracy
from aurify.training.checkpoint import list_checkpoints, restore_checkpoint, save_checkpoint
from aurify.training.evaluate import greedy_rationales
from aurify.training.folder import RunFolder
from aurify.training.interrupt import StopRequest
from aurify.training.m_step import ascend, build_optimizer
from aurify.training.metrics import MetricsLog
from aurify.training.progress import Watcher
from aurify.training.schedule import batch_of_step, learning_rate
from aurify.training.world import World

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class HeldOut:
    """What a student is measured on."""

    questions: Sequence[Question]
    examples: Sequence[Example]
    """Right and wrong rationales of such questions, whose likelihood is compared; may be empty."""


class Distiller:
    """One run's state (step, weights, optimiser) and the loop that moves it on."""

    def __init__(
        self,
        settings: DistillSettings,
        stages: Sequence[Stage],
        scorer: Scorer,
        tokenizer: PreTrainedTokenizerBase,
        template: PromptTemplate,
        drawing: Drawing,
        world: World,
        folder: RunFolder,
        watcher: Watcher,
        *,
        held_out: HeldOut,
        start_mode: str,
        peak_rate: float,
        stop: StopRequest,
    ) -> None:
        self.settings, self.stages, self.scorer, self.model = settings, stages, scorer, scorer.model
        self.tokenizer, self.template, self.drawing = tokenizer, template, drawing
        self.world, self.folder, self.watcher, self.stop = world, folder, watcher, stop
        self.held_out, self.start_mode, self.peak_rate = held_out, start_mode, peak_rate
        self.metrics = MetricsLog(folder.metrics)
        self.evaluations = RationaleTable(folder.held_out)
        self.step = 0
        self.parameters: dict[str, torch.nn.Parameter] = {}
        """Of all stages: a checkpoint holds what earlier ones trained too."""
        self.trained: list[torch.nn.Parameter] = []
        self.optimizer: torch.optim.Optimizer

    def run(self) -> None:
        """From the last checkpoint, or from the start, to the end of the last stage.

        Raises:
            AurifyError: the run diverged, or was asked to stop (after saving).
        """
        for stage in self.stages:
            stage.begin()
            self.parameters.update(trainable_parameters(self.model))
        self._restore()
        if self.step == 0:
            self._evaluate("start", self.start_mode)
        end = 0
        for stage in self.stages:
            begun, end = end, end + stage.steps(self.settings)
            if self.step >= end:
                continue
            if self.step == begun:
                self._begin(stage)
            self._run(stage, begun, end)

    def _run(self, stage: Stage, begun: int, end: int) -> None:
        total = sum(other.steps(self.settings) for other in self.stages)
        while self.step < end:
            self._take_step(stage, self.step + 1 - begun, end - begun, total)
            if self.step == end:
                self._evaluate(stage.name, stage.mode)
            asked = self.world.any(self.stop.asked)
            if self.step == end or asked or self.step % self.settings.save_every == 0:
                self._save()
            if asked and self.step < total:
                raise AurifyError(
                    f"stopped after step {self.step} and saved; go on with: "
                    f"aurify distill --config {self.folder.config} --resume"
                )

    def _begin(self, stage: Stage) -> None:
        """Turn to a stage, with a fresh optimiser."""
        stage.begin()
        self.trained = list(trainable_parameters(self.model).values())
        self.optimizer = build_optimizer(self.trained, "lora", rate=self.peak_rate, weight_decay=0.0)
        rationales = sum(map(len, stage.groups))
        self._say(
            f"{self.settings.method}, stage {stage.name}: {sum(p.numel() for p in self.trained):,} parameters at rate "
            f"{self.peak_rate:g}, {rationales} rationales, {stage.steps(self.settings)} steps"
        )

    def _take_step(self, stage: Stage, number: int, steps: int, total: int) -> None:
        self.step += 1
        begun = time.perf_counter()
        batch = batch_of_step(stage.groups, stage.size, number, stable_seed(self.settings.seed, stage.name))
        found = stage.gradient(batch)
        warmup = min(self.settings.warmup, steps - 1)
        rate = learning_rate(number, steps, self.peak_rate, self.settings.lr_final, warmup)
        self.world.sum_gradients(self.trained)
        norm = ascend(self.optimizer, self.trained, rate=rate, clip=self.settings.clip)
        seconds = time.perf_counter() - begun
        line: dict[str, Any] = {
            "step": self.step, "stage": stage.name, **found, "updated": True, "learning_rate": rate,
            "gradient_norm": norm,
        }  # fmt: skip
        line["timing"] = {
            "seconds": seconds,
            "tokens_per_second": found["tokens"] / seconds,
            "peak_memory_mb": peak_memory_mb(),
        }
        if self.world.main:
            self.metrics.append(line)
            self.watcher.step(self.step, total, line)
            self.world.track({k: v for k, v in line.items() if isinstance(v, (int, float))}, self.step)

    def _evaluate(self, name: str, mode: str) -> None:
        """Greedy accuracy and likelihood on what is held out, with the adapters of this mode."""
        if not self.held_out.questions and not self.held_out.examples:
            return
        begun = time.perf_counter()
        set_mode(self.model, mode)
        line: dict[str, Any] = {"step": self.step, "stage": name}
        if self.held_out.questions:
            rationales = greedy_rationales(
                self.held_out.questions, self.drawing, self.template, self.tokenizer, self.world, self.step
            )
            by_task: dict[str, list[bool]] = {}
            for question, rationale in zip(self.held_out.questions, rationales, strict=True):
                by_task.setdefault(question.task, []).append(rationale.right)
            overall = Accuracy.of(rationale.right for rationale in rationales)
            tasks = {task: Accuracy.of(right).to_dict() for task, right in sorted(by_task.items())}
            line["held_out"] = {**overall.to_dict(), "tasks": tasks}
            if self.world.main:
                self.evaluations.append(rationales)
                self.watcher.evaluated(self.step, overall)
        if self.held_out.examples:
            line["held_out_likelihood"] = score(self.scorer, self.held_out.examples)
        line["timing"] = {"seconds": time.perf_counter() - begun}
        if self.world.main:
            self.metrics.append(line)

    def _restore(self) -> None:
        """Go back to the newest checkpoint that is whole, and forget what was written after it."""
        for path in reversed(list_checkpoints(self.folder.checkpoints) if self.settings.resume else []):
            try:
                self._begin_at(int(path.name.removeprefix("step-")))
                restored = restore_checkpoint(path, self.parameters, self.optimizer)
            except AurifyError as error:
                self._say(f"checkpoint left out: {error}")
                continue
            self.step = restored.step
            self._say(f"resumed from {path}")
            break
        if self.world.main:
            self.metrics.drop_after(self.step if self.step else -1)
            self.evaluations.drop_after(self.step if self.step else -1)
        self.world.wait()

    def _begin_at(self, step: int) -> None:
        """Turn to the stage that a step belongs to."""
        end = 0
        for stage in self.stages:
            end += stage.steps(self.settings)
            if step <= end:
                self._begin(stage)
                return
        raise AurifyError(f"step {step} is beyond the {end} steps of this run")

    def _save(self) -> None:
        if self.world.main:
            self.evaluations.flush(self.step)
            save_checkpoint(self.folder.checkpoints, self.step, self.parameters, self.optimizer, Memory(), {})
        self.world.wait()

    def _say(self, text: str) -> None:
        if self.world.main:
            self.watcher.say(text)
