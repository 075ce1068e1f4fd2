"""Two real vLLM servers, one of which is killed in the middle of a run: pytest -m vllm, after make vllm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from aurify import nugget
from aurify.rationales import read_rationales
from aurify.sampling.vllm.server import ServerPlan, VllmServer

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]

KEY = "of the tests"
STEPS = 4


@pytest.fixture
def servers(vllm_python: Path, tmp_path: Path) -> Iterator[list[VllmServer]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                VllmServer(ServerPlan(str(nugget.path()), max_lora_rank=16), log=tmp_path / f"{number}.log", key=KEY)
            )
            for number in (1, 2)
        ]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "counting.jsonl"
    rows = map(nugget.json_line, nugget.generate("object_counting", 32, seed=5))
    path.write_text("".join(rows), encoding="utf-8")
    return path


def started(servers: list[VllmServer], questions: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    urls = [word for server in servers for word in ("--vllm-url", server.http.url)]
    words = [
        sys.executable, "-m", "aurify", "train", "trice", "--model", "nugget", "--data", str(questions), "--out",
        str(out), "--steps", str(STEPS), "--questions", "16", "--samples", "2", "--holdout", "0", "--max-new-tokens",
        "120", "--memory", "guide", "--tuning", "lora", "--save-every", "1", "--sampler", "vllm", *urls, *more,
    ]  # fmt: skip
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "VLLM_API_KEY": KEY})


def drawn(out: Path) -> list[tuple[str, int, tuple[int, ...]]]:
    return [(row.question_id, row.step, row.token_ids) for row in read_rationales(out)]


def steps(out: Path) -> list[dict]:
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines() if (out / "metrics.jsonl").exists() else []
    return [line for line in map(json.loads, lines) if "updated" in line]


def until(run: subprocess.Popen[str], out: Path, count: int) -> None:
    while len(steps(out)) < count:
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)


def kill(server: VllmServer) -> None:
    for process in psutil.Process(server.pid).children(recursive=True):
        process.send_signal(signal.SIGKILL)


def test_one_of_two_servers_is_killed_and_the_table_is_the_same(servers, questions, tmp_path):
    whole = started(servers, questions, tmp_path / "whole")
    _, said = whole.communicate()
    assert whole.returncode == 0, said
    run = started(servers, questions, tmp_path / "run")
    until(run, tmp_path / "run", 1)
    time.sleep(steps(tmp_path / "run")[0]["timing"]["sample_seconds"] / 2)  # amid the second step's draws
    kill(servers[1])
    _, said = run.communicate()
    assert run.returncode == 0, said
    assert said.count("its requests go to the 1 left of 2 servers") == 1
    assert drawn(tmp_path / "run") == drawn(tmp_path / "whole")
    assert [line["step"] for line in steps(tmp_path / "run")] == list(range(1, STEPS + 1))
    assert all(line["sampler"]["logprob_abs_difference"] < 1e-4 for line in steps(tmp_path / "run"))
