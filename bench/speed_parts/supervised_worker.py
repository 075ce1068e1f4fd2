"""One side of part g: stops after each step, of which each learns all rationales once."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from speed_parts.aurify_worker import Stops
from speed_parts.child import plan_of_worker


def main() -> None:
    plan = plan_of_worker()
    with TemporaryDirectory() as folder:
        {"aurify": by_aurify, "TRL": by_trl}[plan["side"]](plan, Path(folder))


def settings_of(plan: dict[str, Any], folder: Path) -> Any:
    """``aurify distill kd`` as it is, but for the length, the rate, and a step of all rationales."""
    from aurify.distillation.settings import DistillSettings

    names = {"questions": ("id", "question", "answer"), "samples": ("id", "text")}
    for name, fields in names.items():
        rows = [json.dumps({field: row[field] for field in fields}) + "\n" for row in plan["learn"]]
        (folder / f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
    return DistillSettings(
        method="kd", model=plan["model"], data=str(folder / "questions.jsonl"), from_=str(folder / "samples.jsonl"),
        out=str(folder / "run"), holdout=0.0, rationales=len(plan["learn"]), steps=plan["steps"], lr=plan["rate"],
        answers="math", prompt="plain", dtype="bfloat16", max_tokens=100_000,
    )  # fmt: skip


def by_aurify(plan: dict[str, Any], folder: Path) -> None:
    from aurify.distillation.run import run_distillation

    run_distillation(settings_of(plan, folder), watcher=Stops())


def by_trl(plan: dict[str, Any], folder: Path) -> None:
    """The same model, adapter, prompts and completions by TRL's SFTTrainer."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging
    from trl import SFTConfig, SFTTrainer

    from aurify.questions import PromptTemplate, Question
    from speed_parts.trl_worker import Stops as StopsTrl

    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(plan["model"])
    template = PromptTemplate.named("plain", tokenizer)
    rows = [
        {
            "prompt": template.render(Question(row["id"], row["question"], row["answer"])),
            "completion": row["text"] + tokenizer.eos_token,
        }
        for row in plan["learn"]
    ]
    SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(plan["model"], dtype=torch.bfloat16),
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
        callbacks=[StopsTrl()],
        peft_config=LoraConfig(
            task_type="CAUSAL_LM", r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"]
        ),
        args=SFTConfig(
            output_dir=str(folder), per_device_train_batch_size=plan["rows"],
            gradient_accumulation_steps=len(rows) // plan["rows"], max_steps=plan["steps"],
            learning_rate=plan["rate"], max_length=None, use_cpu=True, bf16=True, gradient_checkpointing=False,
            dataloader_pin_memory=False, save_strategy="no", logging_steps=10_000, report_to="none", disable_tqdm=True,
        ),
    ).train()  # fmt: skip


if __name__ == "__main__":
    main()
