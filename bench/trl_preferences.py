"""TRL's own DPOTrainer or KTOTrainer on rows that ``aurify export`` wrote; runs in .venv-peers, told by JSON.

    .venv-peers/bin/python bench/trl_preferences.py '{"form": "dpo", "rows": "rows.jsonl", "model": FOLDER, ...}'

The rows are learned once, in the order of the file. Its last line of output holds what was trained, as JSON. A LoRA of
the same form as aurify's; with ``adapter`` it goes on from that one, which is the reference too.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from transformers.utils import logging
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

KINDS = {"dpo": (DPOTrainer, DPOConfig), "kto": (KTOTrainer, KTOConfig)}
KEPT = ("prompt", "chosen", "rejected", "completion", "label")


def main() -> None:
    plan = json.loads(sys.argv[1])
    logging.set_verbosity_error()
    set_seed(plan["seed"])
    trainer = built(plan)
    begun, computed = time.perf_counter(), time.process_time()
    trainer.train()
    seconds = time.perf_counter() - begun
    busy = (time.process_time() - computed) / seconds
    ids = [name for name in ("chosen_ids", "rejected_ids", "completion_ids") if name in trainer.train_dataset.features]
    tokens = sum(len(row) for name in ids for row in trainer.train_dataset[name])
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    trainer.model.save_pretrained(plan["out"], selected_adapters=["default"])
    trainer.processing_class.save_pretrained(plan["out"])
    facts = {"tokens": tokens, "steps": trainer.state.global_step, "losses": losses}
    print(json.dumps({**facts, "seconds": seconds, "busy": busy}), flush=True)


def built(plan: dict[str, Any]) -> Any:
    """The trainer, with its model and rows."""
    trainer, config = KINDS[plan["form"]]
    tokenizer = AutoTokenizer.from_pretrained(plan["model"])
    model: Any = AutoModelForCausalLM.from_pretrained(plan["model"], dtype=getattr(torch, plan["dtype"]))
    lora = LoraConfig(
        task_type="CAUSAL_LM", r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"]
    )  # fmt: skip
    if plan["adapter"]:
        model, lora = PeftModel.from_pretrained(model, plan["adapter"], is_trainable=True), None
    rows = [json.loads(line) for line in Path(plan["rows"]).read_text(encoding="utf-8").splitlines()]
    at_once = min(plan["at_once"], plan["a_step"])
    return trainer(
        model=model, processing_class=tokenizer, peft_config=lora,
        train_dataset=Dataset.from_list([{key: row[key] for key in KEPT if key in row} for row in rows]),
        args=config(
            output_dir=str(Path(plan["out"]).with_name("trl")), per_device_train_batch_size=at_once,
            gradient_accumulation_steps=plan["a_step"] // at_once, num_train_epochs=1, seed=plan["seed"],
            train_sampling_strategy="sequential", learning_rate=plan["rate"], max_length=None, use_cpu=True,
            bf16=plan["dtype"] == "bfloat16", gradient_checkpointing=False, dataloader_pin_memory=False,
            save_strategy="no", logging_steps=1, report_to="none", disable_tqdm=True,
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
