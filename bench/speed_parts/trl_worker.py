"""TRL's GRPOTrainer or RLOOTrainer, with aurify's grader as the reward; runs in .venv-peers.

The nugget is tuned in full; another ``model`` by LoRA, in bfloat16, asked in its own form, all as aurify does it.

``mode`` "steps" stops after each step until told to go on; "accuracy" says the held-out accuracy every few steps with
the seconds of training until then, the seconds of evaluating left out, and ends where all are right.
"""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset
from transformers import TrainerCallback
from transformers.utils import logging

from aurify.answers import Grader
from aurify.models import load_model, prepare
from aurify.models.prompting import prompt_form
from aurify.questions import PromptTemplate
from aurify.training.settings import TrainSettings
from speed_parts.bbh import held_out_accuracy, questions_of
from speed_parts.child import Gate, plan_of_worker, say


class Stops(TrainerCallback):
    """Stops after each step."""

    def __init__(self) -> None:
        self.gate = Gate()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.gate.step_ended()


class Curve(TrainerCallback):
    """Evaluates every few steps, off the clock."""

    def __init__(self, measure: Any, every: int) -> None:
        self.measure, self.every, self.points = measure, every, []
        self.begun = self.evaluating = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.points.append([0, 0.0, self.measure()])
        self.begun, self.evaluating = time.perf_counter(), 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step % self.every == 0:
            began = time.perf_counter()
            seconds = began - self.begun - self.evaluating
            self.points.append([state.global_step, seconds, self.measure()])
            control.should_training_stop = self.points[-1][2] == 1.0  # nothing is better, and no rate depends on it
            self.evaluating += time.perf_counter() - began


def main() -> None:
    plan = plan_of_worker()
    logging.set_verbosity_error()
    model, tokenizer, template = asked_model(plan)
    train, held_out = questions_of(plan)
    by_prompt = {template.render(question): question for question in train}
    with Grader() as grader, TemporaryDirectory() as folder:

        def reward(prompts: list[str], completions: list[str], **_: Any) -> list[float]:
            items = [(text, by_prompt[prompt], False) for prompt, text in zip(prompts, completions, strict=True)]
            return [float(grade.right) for grade in grader.grade_all(items)]

        def accuracy() -> float:
            was_training = model.training
            value = held_out_accuracy(model, tokenizer, held_out, grader, plan["max_new_tokens"])
            model.train(was_training)
            return value

        callback = Stops() if plan["mode"] == "steps" else Curve(accuracy, plan["every"])
        trainer_class, config_class = trainer_of(plan["trainer"])
        trainer = trainer_class(
            model=model, reward_funcs=reward, processing_class=tokenizer, callbacks=[callback],
            train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in by_prompt]),
            args=config_class(output_dir=folder, **settings(plan)),
        )  # fmt: skip
        trainer.train()
        if isinstance(callback, Curve):
            say(callback.points)


def asked_model(plan: dict[str, Any]) -> tuple[Any, Any, PromptTemplate]:
    """The model with what is tuned of it, its tokenizer, and the form in which it is asked."""
    if "model" not in plan:
        model, tokenizer = load_model("nugget", trainable=True)
        model.requires_grad_(True)
        return model, tokenizer, PromptTemplate.named("plain", tokenizer)
    model, tokenizer = load_model(plan["model"], dtype="bfloat16", trainable=True)
    settings = TrainSettings(method="grpo", model=plan["model"], data=plan["data"], out="unused")
    tuned = prepare(model, tokenizer, kind="lora", lora_rank=settings.lora_rank, lora_alpha=2 * settings.lora_rank)
    return tuned.model, tokenizer, prompt_form(settings, plan["model"], tokenizer).template(tokenizer)


def trainer_of(name: str) -> tuple[Any, Any]:
    """(trainer, its configuration); RLOO's is imported only when asked for."""
    if name == "grpo":
        from trl import GRPOConfig, GRPOTrainer

        return GRPOTrainer, GRPOConfig
    from trl import RLOOConfig, RLOOTrainer

    return RLOOTrainer, RLOOConfig


def settings(plan: dict[str, Any]) -> dict[str, Any]:
    """64 rollouts a step, 8 a question; no reference model, no gradient checkpointing, nothing saved or logged."""
    return {
        "per_device_train_batch_size": plan["rollouts"],
        "num_generations": 8,
        "max_completion_length": plan["max_new_tokens"],
        "max_steps": plan["steps"],
        "learning_rate": plan["rate"],
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "max_grad_norm": 1.0,
        "beta": 0.0,
        "temperature": 1.0,
        "seed": plan["seed"],
        "use_cpu": True,
        "bf16": "model" in plan,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
        "save_strategy": "no",
        "logging_steps": 10_000,
        "report_to": "none",
        "disable_tqdm": True,
    }


if __name__ == "__main__":
    main()
