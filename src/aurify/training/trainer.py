"""The loop: sample, judge, E-step, M-step, and what must be written down on the way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from aurify.clock import peak_memory_mb
from aurify.errors import AurifyError
from aurify.methods import EStep, Method
from aurify.models import Tuned, trainable_parameters
from aurify.questions import PromptTemplate, Question
from aurify.rationales import Drawing, Memory, Rationale, RationaleTable
from aurify.sampling.protocol import Publishing
from aurify.seeds import stable_seed
from aurify.statistics import Accuracy
from aurify.training.answer_scores import AnswerScorer, answered
from aurify.training.budget import Budget
from aurify.training.checkpoint import list_checkpoints, restore_checkpoint, save_checkpoint
from aurify.training.evaluate import greedy_rationales
from aurify.training.first_rationales import Starter, choose
from aurify.training.fits import Fits
from aurify.training.folder import RunFolder
from aurify.training.interrupt import StopRequest
from aurify.training.m_step import accumulate_gradient, ascend, build_optimizer
from aurify.training.metrics import MetricsLog
from aurify.training.progress import Watcher
from aurify.training.proposals import Proposer
from aurify.training.schedule import learning_rate
from aurify.training.settings import TrainSettings
from aurify.training.world import World

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Trainer:
    """One run's state (step, weights, optimiser, memory) and the loop that moves it on."""

    def __init__(
        self,
        settings: TrainSettings,
        method: Method,
        tuned: Tuned,
        tokenizer: PreTrainedTokenizerBase,
        template: PromptTemplate,
        drawing: Drawing,
        world: World,
        folder: RunFolder,
        watcher: Watcher,
        *,
        train: Sequence[Question],
        held_out: Sequence[Question],
        starters: Mapping[str, Starter],
        propose: Proposer,
        scorer: AnswerScorer,
        stop: StopRequest,
        budget: Budget | None = None,
    ) -> None:
        self.settings, self.method, self.tuned, self.tokenizer = settings, method, tuned, tokenizer
        self.template, self.drawing, self.world = template, drawing, world
        self.clock = drawing.clock
        self.folder, self.watcher, self.stop = folder, watcher, stop
        self.propose, self.scorer, self.budget = propose, scorer, budget
        self.train, self.held_out, self.starters = train, held_out, starters
        self.parameters = trainable_parameters(tuned.model)
        self.peak_rate = settings.lr or tuned.learning_rate
        self.optimizer = self._new_optimizer()
        self.step = 0
        self.published = False
        self.spent = self.spent_on_fit = 0.0
        self.memory = Memory()
        advice = "give others with --memory" if method.given else "try --few-shot or a better model"
        self.fits = Fits(
            train, steps=settings.steps, refits=method.refits, growth=method.growth, size=settings.questions,
            seed=settings.seed, advice=(settings.method, advice),
        )  # fmt: skip
        self.fits.remember_base(self.parameters)
        self.start_from = settings.memory if method.remembers else "none"
        self.probes: list[Rationale] = []
        self.metrics = MetricsLog(folder.metrics)
        self.table = RationaleTable(folder.rationales)
        self.evaluations = RationaleTable(folder.held_out)

    def run(self) -> None:
        """From the last checkpoint, or from the start, to the last step.

        Raises:
            AurifyError: the run diverged, or was asked to stop (after saving).
        """
        self._restore()
        self._publish()
        if self.step == 0:
            self._evaluate()
            self._choose_start()
        self._announce()
        done = self._done()
        if done and self.step == 0:  # prompting: the evaluation is all of it
            self._save()
        while not done:
            with self.clock.measure("step"):
                self._take_step()
            done = self._done()
            if done or (self.settings.eval_every and self.step % self.settings.eval_every == 0):
                self._evaluate()
            asked = self.world.any(self.stop.asked)
            if done or asked or self.step % self.settings.save_every == 0:
                self._save()
            if asked and not done:
                again = "the same command" if self.budget else f"aurify train --config {self.folder.config} --resume"
                raise AurifyError(f"stopped after step {self.step} and saved; go on with: {again}")

    def _done(self) -> bool:
        """Whether this was the last step. With a budget, a fit is begun only if one as dear as the last is left."""
        if self.step >= self.settings.steps or self.budget is None or self.step == 0:
            return self.step >= self.settings.steps
        if self.world.any(self.spent >= self.budget.amount) and (not self.fits or self.budget.kind == "seconds"):
            return True
        if not self.fits or not self.fits.begins(self.step + 1):
            return False
        return self.world.any(self.spent + self.spent_on_fit > self.budget.amount)

    def _take_step(self) -> None:
        self.step += 1
        begun = time.perf_counter()
        fresh = self._begin_fit() if self.fits.begins(self.step) else []
        questions = self.fits.batch(self.step)
        if self.fits:
            proposals = [self.fits.pool[question.id] for question in questions]
        else:
            self._publish()
            fresh, proposals = self._visit(questions)
        sampled = time.perf_counter()
        key = stable_seed(self.settings.seed, "e-step", self.step)
        chains = [self.memory[question.id] for question in questions]
        if self.method.scores_answers:
            chains, proposals = answered(self.world, self.scorer, questions, chains, proposals)
        e_step = self.method.e_step(key, self.step, chains, proposals)
        self.memory.update(e_step.chains)
        line = {"step": self.step, **e_step.info, **self._update(e_step, questions)}
        own = [sample for sample in fresh if sample.source == "self"]
        line["verdicts"] = dict(sorted(Counter(str(one.verdict) for one in own).items()))
        fresh, self.probes = [*self.probes, *fresh], []
        drawn = [sample for sample in fresh if sample.source not in ("gold", "teacher")]
        line["samples"], line["generated_tokens"] = len(drawn), sum(len(sample.token_ids) for sample in drawn)
        if isinstance(self.drawing.sampler, Publishing):
            line["sampler"] = self.drawing.sampler.report()
        if self.fits.begins(self.step):
            line["kept"] = len(self.fits.pool) / len(self.train)
        ended = time.perf_counter()
        line["timing"] = {
            "seconds": ended - begun,
            "sample_seconds": sampled - begun,
            "update_seconds": ended - sampled,
            "tokens_per_second": line["generated_tokens"] / (ended - begun),
            "peak_memory_mb": peak_memory_mb(),
        }
        if self.budget is not None:
            cost = self.budget.cost(line)
            self.spent += cost
            self.spent_on_fit = cost + (0.0 if self.fits.begins(self.step) else self.spent_on_fit)
        if self.world.main:
            self.table.append(fresh)
            self.metrics.append(line)
            self.watcher.step(self.step, self.settings.steps, line)
            numbers = {**line, **line["timing"]}
            self.world.track({k: v for k, v in numbers.items() if isinstance(v, (int, float))}, self.step)

    def _publish(self) -> None:
        """Bring changed weights to a sampler that has a copy of them, before anything is drawn from it."""
        if not self.published and isinstance(self.drawing.sampler, Publishing):
            self.drawing.sampler.publish(write=self.world.main)
            self.world.wait()
        self.published = True

    def _visit(self, questions: Sequence[Question]) -> tuple[list[Rationale], list[list[Rationale]]]:
        """All fresh rationales, and the proposals; a chain that is not valid gets a first rationale besides."""
        invalid = {question.id for question in questions if not self.memory[question.id].right}
        starter = self.starters[self.start_from]
        visits = self.world.map(lambda mine: self.propose(mine, self.step, starter, invalid), questions)
        self.memory.update(
            self.memory[question.id].started(visit.first, self.step)
            for question, visit in zip(questions, visits, strict=True)
            if question.id in invalid
        )
        proposals = [visit.proposals for visit in visits]
        firsts = [visit.first for visit in visits if visit.first is not None]
        return firsts + [sample for row in proposals for sample in row], proposals

    def _begin_fit(self) -> list[Rationale]:
        """Proposals for all training questions from the model as it stands, then the base model again."""
        self._publish()
        rows = [visit.proposals for visit in self.world.map(lambda mine: self.propose(mine, self.step), self.train)]
        self.fits.keep(rows)
        if self.step > 1:
            self.fits.restore_base(self.parameters)
            self.published = False
            self.optimizer = self._new_optimizer()
        return [sample for row in rows for sample in row]

    def _update(self, e_step: EStep, questions: Sequence[Question]) -> dict[str, Any]:
        """The M-step, and what it did. Without a term there is nothing to ascend, and no step is taken."""
        rate = self._rate()
        if not e_step.terms:
            return {"updated": False, "learning_rate": rate, "gradient_norm": 0.0}
        longest_first = sorted(e_step.terms, key=lambda term: (-len(term.token_ids), term.question_id))
        terms, ids = self.world.share(longest_first), self.template.encode_all(self.tokenizer, questions)
        prompts = {question.id: prompt for question, prompt in zip(questions, ids, strict=True)}
        tokens = sum(len(prompts[id]) for id in {term.question_id for term in terms})
        with self.clock.measure("gradient", tokens + sum(len(term.token_ids) for term in terms)):
            accumulate_gradient(
                self.tuned.model, terms, prompts,
                pad_token_id=self.tokenizer.pad_token_id, token_budget=self.settings.token_budget,
                bf16=self.settings.dtype == "mixed",
            )  # fmt: skip
        parameters = list(self.parameters.values())
        with self.clock.measure("optimizer"):
            self.world.sum_gradients(parameters)
            norm = ascend(self.optimizer, parameters, rate=rate, clip=self.settings.clip)
        self.published = False
        return {"updated": True, "learning_rate": rate, "gradient_norm": norm}

    def _rate(self) -> float:
        """The learning rate of this step: falling over the run, over the present fit, or with the budget."""
        start, end = self.fits.bounds(self.step)
        step, steps = self.step - start + 1, end - start
        if self.budget is not None and not self.fits and self.step > self.settings.warmup:
            step = max(step, min(steps, 1 + int(self.spent / self.budget.amount * (steps - 1))))
        return learning_rate(step, steps, self.peak_rate, self.settings.lr_final, self.settings.warmup)

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return build_optimizer(
            list(self.parameters.values()), self.tuned.kind, rate=self.peak_rate,
            weight_decay=self.settings.weight_decay,
        )  # fmt: skip

    def _evaluate(self) -> None:
        if not self.held_out:
            return
        begun = time.perf_counter()
        self._publish()
        with self.clock.measure("evaluate"):
            rationales = greedy_rationales(
                self.held_out, self.drawing, self.template, self.tokenizer, self.world, self.step
            )
        by_task: dict[str, list[bool]] = {}
        for question, rationale in zip(self.held_out, rationales, strict=True):
            by_task.setdefault(question.task, []).append(rationale.right)
        overall = Accuracy.of(rationale.right for rationale in rationales)
        if self.world.main:
            tasks = {task: Accuracy.of(right).to_dict() for task, right in sorted(by_task.items())}
            self.evaluations.append(rationales)
            self.metrics.append(
                {
                    "step": self.step,
                    "held_out": {**overall.to_dict(), "tasks": tasks},
                    "timing": {"seconds": time.perf_counter() - begun},
                }
            )
            self.watcher.evaluated(self.step, overall)
            self.world.track({"held_out_accuracy": overall.value}, self.step)

    def _choose_start(self) -> None:
        if self.start_from == "auto":
            choice = choose(self.train, self.drawing, self.template, self.tokenizer, self.settings.seed)
            self.start_from = "guide" if choice.guide else "none"
            self.probes = choice.drawn
            self._say(choice.reason)

    def _restore(self) -> None:
        """Go back to the newest checkpoint that is whole, and forget what was written after it."""
        for path in reversed(list_checkpoints(self.folder.checkpoints) if self.settings.resume else []):
            try:
                restored = restore_checkpoint(path, self.parameters, self.optimizer)
            except AurifyError as error:
                self._say(f"checkpoint left out: {error}")
                continue
            self.step, self.memory = restored.step, restored.memory
            self.start_from = restored.notes["start_from"]
            self._say(f"resumed from {path}")
            break
        if self.world.main:
            self.metrics.drop_after(self.step if self.step else -1)
            self.table.drop_after(self.step if self.step else -1)
            self.evaluations.drop_after(self.step if self.step else -1)
        self.world.wait()
        if self.step and self.budget is not None:
            lines = self.metrics.read()
            self.spent = sum(map(self.budget.cost, lines))
            if self.fits:
                self.spent_on_fit = sum(
                    self.budget.cost(line) for line in lines if line["step"] >= self.fits.bounds(self.step)[0]
                )
        if self.step and self.fits:
            self.fits.recall(self.step, self.table.read())

    def _save(self) -> None:
        if self.world.main:
            self.table.flush(self.step)
            self.evaluations.flush(self.step)
            notes = {"start_from": self.start_from}
            with self.clock.measure("checkpoint"):
                save_checkpoint(self.folder.checkpoints, self.step, self.parameters, self.optimizer, self.memory, notes)
        self.world.wait()

    def _announce(self) -> None:
        count = sum(parameter.numel() for parameter in self.parameters.values())
        self._say(
            f"{self.settings.method}: {self.tuned.kind} tuning of {count:,} parameters at rate {self.peak_rate:g}, "
            f"{min(self.settings.questions, len(self.train))} questions "
            + (f"a step, {len(self.fits)} fits" if self.fits else f"x {self.method.samples} samples a step")
            + (f", rationales from {self.settings.memory}" if self.method.given else "")
            + ("" if self.fits else f", memory from {self.start_from}")
        )

    def _say(self, text: str) -> None:
        if self.world.main:
            self.watcher.say(text)
