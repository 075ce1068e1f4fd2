"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aurify.models.heap import blocks_together, give_back, keep_blocks_apart, malloc_trim, mallopt


def test_only_after_work_with_large_models() -> None:
    asked: list[int] = []

    def trim(pad: int) -> int:
        asked.append(pad)
        return 1

    give_back(torch.nn.Linear(10, 10), trim)
    assert asked == []
    give_back(torch.nn.Linear(2**15, 2**10, bias=False), trim)
    assert asked == [0]


def test_blocks_of_their_own_only_for_large_models() -> None:
    asked: list[tuple[int, int]] = []

    def tune(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return 1

    keep_blocks_apart(torch.nn.Linear(10, 10), tune)
    assert asked == []
    keep_blocks_apart(torch.nn.Linear(2**15, 2**10, bias=False), tune)
    assert asked == [(-3, 2**20)]


def test_blocks_are_kept_while_a_large_model_draws_that_is_trained() -> None:
    asked: list[tuple[int, int]] = []

    def tune(parameter: int, value: int) -> int:
        asked.append((parameter, value))
        return 1

    large = torch.nn.Linear(2**15, 2**10, bias=False)
    with blocks_together(large, tune):
        assert asked == [(-3, 2**25), (-1, 2**30)]
    assert asked[2:] == [(-3, 2**20)]
    for other in (torch.nn.Linear(10, 10), large.requires_grad_(False)):
        with blocks_together(other, tune):
            pass
    assert len(asked) == 3


PEAK = """
import random, sys
import torch
from aurify.models.heap import mallopt

if sys.argv[1] == "apart":
    assert mallopt()(-3, 2**20) == 1
torch.set_num_threads(1)
chance, kept = random.Random(0), []
for _ in range(400):  # blocks of changing sizes, half of which outlive the next ones, as activations do
    kept.append(torch.ones(chance.randrange(2**18, 2**21)))
    if len(kept) > 60:
        for index in sorted(chance.sample(range(60), 40), reverse=True):
            del kept[index]
in_use = sum(block.nbytes for block in kept) >> 20
resident = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) >> 10
print(in_use, resident)
"""


@pytest.mark.skipif(mallopt() is None or not Path("/proc/self/status").exists(), reason="another C library")
def test_blocks_of_their_own_leave_no_holes() -> None:
    resident = {}
    for how in ("apart", "together"):
        done = subprocess.run([sys.executable, "-c", PEAK, how], capture_output=True, text=True, check=True)
        in_use, resident[how] = map(int, done.stdout.split())
    assert resident["apart"] < resident["together"]
    assert resident["apart"] - in_use < 400  # torch itself


def test_asking_here_does_no_harm() -> None:
    trim = malloc_trim()
    assert trim is None or trim(0) in (0, 1)
    give_back(torch.nn.Linear(2**15, 2**10, bias=False))
