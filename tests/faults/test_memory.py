"""Memory runs out in a step: half as many tokens at a time, the same result, said once."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
import torch

from aurify.errors import AurifyError, out_of_memory
from aurify.models import load_model
from aurify.models.token_budget import TokenBudget
from aurify.running.progress import Quiet
from aurify.sampling import LocalSampler, Prompt
from aurify.training import m_step
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings


class Listens(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def trained(questions, out, **more):
    watcher = Listens()
    settings = TrainSettings(
        method="trice", model="nugget", data=str(questions), out=str(out), steps=2, questions=6, holdout=0,
        max_new_tokens=60, memory="guide", **more,
    )  # fmt: skip
    run = run_training(settings, watcher=watcher)
    return hashlib.sha256((run.model / "model.safetensors").read_bytes()).hexdigest(), watcher.lines


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory. Tried"), MemoryError()])
def test_a_step_that_does_not_fit_is_repeated_with_the_same_result(error, questions, monkeypatch, tmp_path):
    wanted, lines = trained(questions, tmp_path / "half", token_budget=300)
    assert not any("out of memory" in line for line in lines)
    whole, _ = trained(questions, tmp_path / "whole", token_budget=600)
    real, failed = m_step.sequence_logprobs, []

    def limited(model, sequences, **more):
        found = real(model, sequences, **more)
        if not failed:
            torch.autograd.backward(found.sum())  # some gradient is there already when memory runs out
            failed.append(len(sequences))
            raise error
        return found

    monkeypatch.setattr(m_step, "sequence_logprobs", limited)
    found, lines = trained(questions, tmp_path / "limited", token_budget=600)
    told = [line for line in lines if "out of memory" in line]
    assert len(failed) == 1
    assert told == ["out of memory: repeated with --token-budget 300, and so it goes on"]
    assert found == wanted
    assert whole != "", "the larger budget works too"


def test_what_never_fits_is_one_line(questions, monkeypatch, tmp_path):
    def never(*args, **more):
        raise torch.OutOfMemoryError("no")

    monkeypatch.setattr(m_step, "sequence_logprobs", never)
    with pytest.raises(AurifyError, match="out of memory, even with one rationale at a time: lower"):
        trained(questions, tmp_path / "out", token_budget=8)


def test_another_error_is_not_taken_for_it():
    budget = TokenBudget(8)
    with pytest.raises(RuntimeError, match="shape"):
        budget.spend(lambda: (_ for _ in ()).throw(RuntimeError("shape mismatch")))
    assert budget.tokens == 8


def test_a_real_allocation_that_fails_is_known():
    code = """
import resource, torch
from aurify.models.token_budget import TokenBudget
torch.ones(8).sum()
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1))
budget = TokenBudget(4096, print)
print(budget.spend(lambda: torch.empty(budget.tokens, 2**19, dtype=torch.uint8)).shape[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *told, size = done.stdout.splitlines()
    assert told[-1].startswith(f"out of memory: repeated with --token-budget {size}")
    assert 128 <= int(size) <= 512


def test_the_sampler_draws_the_same_with_fewer_rows(monkeypatch):
    from aurify.sampling.decoding import Decoding

    model, tokenizer = load_model("nugget")
    prompts = [Prompt(tuple(tokenizer("Question: 1 + 1?\nAnswer:")["input_ids"]), tuple(range(n * 10, n * 10 + 6)))
               for n in range(4)]  # fmt: skip
    wanted = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=20)
    real = Decoding.run

    def limited(self):
        found = real(self)
        if self.max_rows > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return found

    monkeypatch.setattr(Decoding, "run", limited)
    told, completed = [], []
    sampler = LocalSampler(model, tokenizer, say=told.append)
    found = sampler.sample(prompts, max_new_tokens=20, on_completion=lambda index, one: completed.append((index, one)))
    for row, other in zip(found, wanted, strict=True):
        assert [one.token_ids for one in row] == [one.token_ids for one in other]
        assert [one.logprob for one in row] == pytest.approx([one.logprob for one in other], abs=1e-4)
    assert sampler.max_rows == 6
    assert len(told) == 2
    assert sorted(index for index, _ in completed) == sorted(list(range(4)) * 6), "each completion is told of once"


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (torch.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("shape '[2]' is invalid"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_running_out_of_memory_looks_like(error, known):
    assert out_of_memory(error) is known
