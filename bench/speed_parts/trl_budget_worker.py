"""TRL's GRPOTrainer for a budget of seconds, with aurify's prompts, grader and evaluation; runs in .venv-peers.

The model is loaded, and its LoRA made, as aurify does it. A completion ends at every token that ends one of aurify's,
and is wrong where it is cut. The rate falls with the share of the budget that is used, as an aurify run's does.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback
from transformers.utils import logging
from trl import GRPOConfig, GRPOTrainer

from aurify.answers.grader import grader_of
from aurify.clock import peak_memory_mb
from aurify.models import load_model, prepare
from aurify.models.eos import eos_ids
from aurify.models.prompting import prompt_form
from aurify.questions import Prompts
from aurify.rationales import Drawing, RationaleTable
from aurify.running.budget import Budget, Spending
from aurify.running.held_out import greedy_accuracy
from aurify.running.metrics import MetricsLog
from aurify.running.world import World
from aurify.sampling import LocalSampler
from aurify.training.schedule import learning_rate
from speed_parts import trl_worker
from speed_parts.budgeted import Processor, questions_of, settings_of
from speed_parts.child import plan_of_worker, say

FINE = 10**6
"""Parts of the budget after which the rate is lower."""
MOST_STEPS = 10**5


class Budgeted(TrainerCallback):
    """Ends the training with its budget, lets the rate fall with it, and evaluates off the clock."""

    def __init__(self, plan: dict[str, Any], measure: Any, reward: Any) -> None:
        self.rate, self.measure, self.reward = plan["rate"], measure, reward
        self.metrics = MetricsLog(Path(plan["out"]) / "metrics.jsonl")
        self.spending = Spending(Budget("seconds", plan["seconds"], plan["looks"]))
        self.mark, self.processor = 0.0, Processor(Path(plan["out"]))

    def look(self, step: int) -> None:
        self.metrics.append({"step": step, **self.measure(step), "timing": {}})
        self.mark = time.perf_counter()
        self.processor.begin()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.look(0)

    def on_step_begin(self, args: Any, state: Any, control: Any, *, optimizer: Any, **_: Any) -> None:
        used = 1 + int(min(1.0, self.spending.share) * (FINE - 1))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(used, FINE, self.rate, 0.1, 0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seconds = time.perf_counter() - self.mark
        self.mark += seconds
        timing = {"seconds": seconds, "peak_memory_mb": peak_memory_mb()}
        line = {"step": state.global_step, "updated": True, **self.reward.counts(), "timing": timing}
        self.spending.add(line)
        self.metrics.append(line)
        worked = self.processor.step_ended(state.global_step)
        say({"said": f"step {state.global_step}: {seconds:.1f} s, {worked}, {line['verdicts']}"})
        control.should_training_stop = self.spending.used_up(state.global_step)
        if control.should_training_stop or self.spending.look_due:
            self.look(state.global_step)


class Reward:
    """1 for a right completion; what has been drawn since the last step is counted."""

    __name__ = "right"

    def __init__(self, by_prompt: dict[str, Any], grader: Any, ends: frozenset[int], stop: tuple[str, ...]) -> None:
        self.by_prompt, self.grader, self.ends, self.stop = by_prompt, grader, ends, stop
        self.drawn: list[tuple[str, int]] = []

    def __call__(
        self, prompts: list[str], completions: list[str], completion_ids: list[list[int]], **_: Any
    ) -> list[float]:
        items = []
        for prompt, completion, ids in zip(prompts, completions, completion_ids, strict=True):
            text = completion
            for stop in self.stop:
                text = text.partition(stop)[0]
            items.append((text, self.by_prompt[prompt], ids[-1] not in self.ends and text == completion))
        grades = self.grader.grade_all(items)
        lengths = [len(ids) for ids in completion_ids]
        self.drawn += zip([str(grade.verdict) for grade in grades], lengths, strict=True)
        return [float(grade.right) for grade in grades]

    def counts(self) -> dict[str, Any]:
        """For the line of a step."""
        drawn, self.drawn = self.drawn, []
        verdicts = Counter(verdict for verdict, _ in drawn)
        tokens = sum(length for _, length in drawn)
        return {"verdicts": dict(sorted(verdicts.items())), "samples": len(drawn), "generated_tokens": tokens}


def main() -> None:
    plan = plan_of_worker()
    logging.set_verbosity_error()
    settings = settings_of(plan)
    train, held_out = questions_of(settings)
    shutil.rmtree(settings.out, ignore_errors=True)  # of a run that was killed
    Path(settings.out).mkdir(parents=True)
    model, tokenizer = load_model(settings.model, dtype=settings.weights_dtype, trainable=True)
    tuned = prepare(
        model, tokenizer, kind="lora", lora_rank=settings.lora_rank,
        lora_alpha=settings.lora_alpha or 2 * settings.lora_rank, lora_targets=settings.lora_targets, seed=plan["seed"],
    ).model  # fmt: skip
    form = prompt_form(settings, settings.model, tokenizer)
    template = form.template(tokenizer)
    by_prompt = {template.render(question): question for question in train}
    ends = eos_ids(tuned, tokenizer)
    model.generation_config.eos_token_id = sorted(ends)
    lowered = torch.bfloat16 if settings.dtype == "bfloat16" else None
    table, world = RationaleTable(Path(settings.out) / "held_out"), World()
    with grader_of(settings, settings.out) as grader, TemporaryDirectory() as folder:
        prompts = Prompts(template, tokenizer)
        if list(tokenizer(list(by_prompt))["input_ids"]) != [list(one) for one in prompts(list(by_prompt.values()))]:
            raise RuntimeError("TRL's tokens of the prompts are not aurify's")
        drawing = Drawing(
            LocalSampler(tuned, tokenizer, dtype=lowered), grader, settings.model, plan["seed"],
            settings.max_new_tokens or 0, template.stop, opening=template.opening, tokenizer=tokenizer,
        )  # fmt: skip

        def measure(step: int) -> dict[str, Any]:
            was_training = tuned.training
            tuned.eval()
            found = greedy_accuracy(held_out, drawing, prompts, world, step)
            tuned.train(was_training)
            table.append(found.rationales)
            table.flush(step)
            say({"said": f"step {step}: held out {found.accuracy}"})
            return found.facts

        reward = Reward(by_prompt, grader, ends, template.stop)
        plan = {**plan, "steps": MOST_STEPS, "max_new_tokens": settings.max_new_tokens}
        arguments = {
            **trl_worker.settings(plan), "bf16": settings.dtype == "bfloat16", "lr_scheduler_type": "constant",
            "lr_scheduler_kwargs": {}, "per_device_train_batch_size": plan["micro"],
            "gradient_accumulation_steps": plan["rollouts"] // plan["micro"], "generation_batch_size": plan["drawn"],
        }  # fmt: skip
        GRPOTrainer(
            model=tuned, reward_funcs=reward, processing_class=tokenizer,
            callbacks=[Budgeted(plan, measure, reward)],
            train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in by_prompt]),
            args=GRPOConfig(output_dir=folder, **arguments),
        ).train()  # fmt: skip
    out = Path(settings.out) / "unfinished"
    tuned.save_pretrained(out)
    tokenizer.save_pretrained(out)
    form.save(out)
    out.rename(Path(settings.out) / "model")
    say({"done": True})


if __name__ == "__main__":
    main()
