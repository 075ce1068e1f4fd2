"""Two processes in one folder: the second is refused, whatever command it is, and nothing changes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from ranks import environments

from aurify.lock import LOCK, sole_writer


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def begun(begin_aurify, train, tmp_path_factory):
    """A run of two steps of three: it can be resumed."""
    out = tmp_path_factory.mktemp("runs") / "run"
    process = begin_aurify(*train(out))
    while not (out / "checkpoints" / "step-00000001").is_dir():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return out


def test_a_live_run_is_not_resumed_beside(begun, train, aurify):
    with sole_writer(begun):
        before = snapshot(begun)
        error = aurify(*train(begun, "--resume")).error
        assert f"process {os.getpid()} " in error
        assert snapshot(begun) == before


@pytest.mark.parametrize("command", ["train", "distill", "sample", "evaluate", "rank", "import", "compare"])
def test_every_command_that_fills_a_folder_waits_its_turn(command, questions, table, train, aurify, tmp_path):
    out = tmp_path / "out"
    plan = tmp_path / "plan.toml"
    plan.write_text(f'model = "nugget"\ndata = "{questions}"\nout = "{out}"\nsteps = 1\nmethods = ["trice", "rloo"]\n')
    words = {
        "train": train(out),
        "distill": ["distill", "nat", "--model", "nugget", "--data", questions, "--from", table, "--out", out],
        "sample": ["sample", "--model", "nugget", "--data", questions, "--out", out],
        "evaluate": ["evaluate", "--model", "nugget", "--data", questions, "--out", out],
        "rank": ["rank", "--from", table, "--data", questions, "--out", out],
        "import": ["import", table, "--data", questions, "--out", out],
        "compare": ["compare", plan],
    }[command]
    with sole_writer(out):
        assert f"{out}: process {os.getpid()} " in aurify(*words).error
        assert [path.name for path in out.iterdir()] == [LOCK]


def test_a_run_of_two_processes_has_one_lock(begin_aurify, train, aurify, tmp_path):
    out = tmp_path / "two"
    processes = [begin_aurify(*train(out, "--steps", 50), env=environment) for environment in environments(2)]
    try:
        while not (out / "metrics.jsonl").exists():
            assert [process.poll() for process in processes] == [None, None], processes[0].communicate()
            time.sleep(0.05)
        assert "is at work in it" in aurify(*train(out, "--steps", 50, "--resume")).error
        assert [process.poll() for process in processes] == [None, None]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.communicate()
    with sole_writer(out):
        pass
