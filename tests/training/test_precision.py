"""Every dtype with every tuning kind trains; what is trained is float32, moves, and resumes byte for byte."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import aurify
from aurify.models import load_model, prepare, trainable_parameters
from aurify.nugget import generate
from aurify.sampling.agreement import TINY
from aurify.training.m_step import ascend, build_optimizer

SMALL: dict[str, Any] = {
    "model": "nugget", "steps": 2, "questions": 4, "eval_limit": 2, "max_new_tokens": 30, "memory": "none",
    "save_every": 1,
}  # fmt: skip


class Listener:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self, *_: object) -> None: ...

    def evaluated(self, *_: object) -> None: ...

    def drawn(self, *_: object) -> None: ...


def train(method: str, out: Path, **settings: Any) -> list[str]:
    listener = Listener()
    questions = generate("object_counting", 12, seed=5)
    aurify.train(method, data=questions, out=out, watcher=listener, **{**SMALL, **settings})
    return listener.said


def measured(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["sampler"] for line in lines if "sampler" in line]


@pytest.mark.parametrize("method", ["trice", "trice-likelihood"])
@pytest.mark.parametrize("tuning", ["full", "lora", "prompt"])
@pytest.mark.parametrize("dtype", ["float32", "mixed", "bfloat16"])
def test_every_dtype_with_every_tuning(dtype: str, tuning: str, method: str, tmp_path: Path) -> None:
    said = train(method, tmp_path / "run", dtype=dtype, tuning=tuning)
    differences = measured(tmp_path / "run")
    assert len(differences) == 2, "steps 1 and 2"
    bound = 1e-5 if dtype == "float32" else 0.05
    assert all(found["logprob_abs_difference"] < bound for found in differences)
    assert dtype == "float32" or any(found["logprob_abs_difference"] > 1e-6 for found in differences)
    assert any("differ by" in line for line in said) == any(
        found["logprob_abs_difference"] > TINY for found in differences
    )
    weights = load_file(max((tmp_path / "run" / "checkpoints").glob("step-*")) / "weights.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    assert load_model(str(tmp_path / "run" / "model")).model is not None
    if tuning == "full":
        written = load_file(tmp_path / "run" / "model" / "model.safetensors")
        assert {value.dtype for value in written.values()} == {torch.bfloat16 if dtype == "bfloat16" else torch.float32}


def test_bfloat16_weights_tuned_in_full_move() -> None:
    """At a rate of 1e-5 nearly every step is below half a step of bfloat16; in float32 none is lost."""
    loaded = load_model("nugget", dtype="bfloat16")
    tuned = prepare(loaded.model, loaded.tokenizer, kind="full")
    parameters = trainable_parameters(tuned.model)
    before = {name: value.detach().clone() for name, value in parameters.items()}
    optimizer = build_optimizer(list(parameters.values()), "full", rate=1e-5, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    for value in parameters.values():
        value.grad = torch.randn(value.shape, generator=generator)
    ascend(optimizer, list(parameters.values()), rate=1e-5, clip=1.0)
    moved = sum(int((value != before[name]).sum()) for name, value in parameters.items())
    total = sum(value.numel() for value in parameters.values())
    assert moved > 0.99 * total
    lost = sum(int((value.bfloat16() == before[name].bfloat16()).sum()) for name, value in parameters.items())
    assert lost > 0.5 * total, "which bfloat16 weights would not have shown"


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_a_resumed_run_ends_with_the_same_bytes(tuning: str, tmp_path: Path) -> None:
    settings = {"dtype": "bfloat16", "tuning": tuning, "steps": 3}
    train("trice", tmp_path / "whole", **settings)
    shutil.copytree(tmp_path / "whole", tmp_path / "resumed")
    shutil.rmtree(tmp_path / "resumed" / "model")
    shutil.rmtree(tmp_path / "resumed" / "checkpoints" / "step-00000003")
    train("trice", tmp_path / "resumed", resume=True, **settings)

    def digests(out: Path) -> list[str]:
        last = out / "checkpoints" / "step-00000003"
        files = [last / "weights.safetensors", last / "optimizer.safetensors"]
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    assert digests(tmp_path / "resumed") == digests(tmp_path / "whole")


def test_nat_in_bfloat16(tmp_path: Path) -> None:
    from aurify.distillation.run import run_distillation
    from aurify.distillation.settings import DistillSettings

    train("trice", tmp_path / "run", steps=1, questions=9, samples=4, max_new_tokens=120)
    questions = generate("object_counting", 12, seed=5)
    settings = DistillSettings(
        method="nat", model="nugget", data="(given)", from_=str(tmp_path / "run"), out=str(tmp_path / "nat"),
        dtype="bfloat16", steps=1, rationales=2, eval_limit=1, max_new_tokens=20, lora_rank=2, unit_width=4,
    )  # fmt: skip
    run_distillation(settings, questions=questions[:10], held_out=questions[10:])
    last = max((tmp_path / "nat" / "checkpoints").glob("step-*"))
    assert {value.dtype for value in load_file(last / "weights.safetensors").values()} == {torch.float32}
