"""One of two processes is killed, stopped, or asked to stop: all end soon, and the run goes on from its checkpoint."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from ranks import environments

SOON = 30.0
"""Seconds."""


def launched(words: list[object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "aurify",
         *map(str, words)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def steps(out: Path) -> list[int]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line["step"] for line in lines if "updated" in line]


SAID = {
    signal.SIGKILL: "aurify: rank 1 of 2 was killed, or ended without a word",
    signal.SIGTERM: "saved; go on with: aurify train --config",
    signal.SIGSTOP: "aurify: rank 1 of 2 stands stopped for 12 s",
}


@pytest.mark.parametrize("number", SAID)
def test_all_end_with_one_and_the_run_goes_on(number, begin_aurify, train, aurify, tmp_path):
    out = tmp_path / "out"
    words = train(out, "--steps", 200, "--save-every", 1)
    process = launched(words)
    try:
        while not (out / "checkpoints" / "step-00000002").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        ranks = [child for child in psutil.Process(process.pid).children() if "aurify" in child.cmdline()]
        assert len(ranks) == 2
        begun = time.monotonic()
        ranks[1].send_signal(number)
        _, errors = process.communicate(timeout=2 * SOON)
        assert time.monotonic() - begun < SOON
    finally:
        process.kill()
    assert process.returncode != 0
    assert not any(rank.is_running() for rank in ranks)
    assert SAID[number] in errors
    assert "gloo" not in errors
    done = max(steps(out))
    after = aurify(*train(out, "--steps", 200, "--save-every", 1, "--resume"), "--dry-run")
    assert after.status == 0
    go_on = [begin_aurify(*words, "--resume", env=environment) for environment in environments(2)]
    try:
        while max(steps(out), default=0) <= done + 1:
            assert [rank.poll() for rank in go_on] == [None, None], go_on[0].communicate()
            time.sleep(0.05)
    finally:
        for rank in go_on:
            rank.send_signal(signal.SIGTERM)
        for rank in go_on:
            rank.communicate(timeout=2 * SOON)
    assert steps(out) == list(range(1, max(steps(out)) + 1))


HANGING = """
import os
from contextlib import contextmanager
from dataclasses import dataclass
from aurify.sampling.factory import SamplerFactory
from aurify.sampling.local import LocalSampler

@dataclass(frozen=True)
class Hanging(SamplerFactory):
    @contextmanager
    def of_model(self, model, tokenizer, occasion):
        yield HangingSampler(LocalSampler(model, tokenizer, progress=occasion.progress))

class HangingSampler:
    def __init__(self, local):
        self.local, self.calls = local, 0

    def sample(self, prompts, **more):
        self.calls += 1
        while self.calls == 3 and os.environ["RANK"] == "1":
            pass
        return self.local.sample(prompts, **more)
"""


def test_one_that_computes_for_ever_ends_the_other_that_waits_for_it(begin_aurify, train, tmp_path):
    (tmp_path / "hanging.py").write_text(HANGING)
    out = tmp_path / "out"
    words = train(out, "--steps", 200, "--save-every", 1, "--sampler", "hanging:Hanging", "--stalled-after", 5)
    ranks = [begin_aurify(*words, env=environment, path=[tmp_path]) for environment in environments(2)]
    errors = "".join(rank.communicate(timeout=8 * SOON)[1] for rank in ranks)
    assert all(rank.returncode for rank in ranks)
    assert "aurify: rank 1 of 2 made no progress for 5 s, and others wait for it (--stalled-after)" in errors
    assert (out / "checkpoints").is_dir()
