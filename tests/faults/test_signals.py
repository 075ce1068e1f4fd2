"""Ctrl-C and SIGTERM are answered with a line at once, whatever is being done, and the next command goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_server import Command

from aurify.lock import LOCK


def begin(*words: object) -> subprocess.Popen[str]:
    """A real process of its own."""
    command = [sys.executable, "-m", "aurify", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, process: subprocess.Popen[str] | Command) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_sample_and_evaluate_say_what_is_kept(begin_aurify, command, number, questions, tmp_path):
    out = tmp_path / "out"
    process = begin_aurify(
        command, "--model", "nugget", "--data", questions, "--out", out, "--samples", 5000, "--max-new-tokens", 200
    )
    wait_for(out / LOCK, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    last = errors.splitlines()[-1]
    assert last.startswith("aurify: stopped by SIGTERM" if number == signal.SIGTERM else "aurify: interrupted")
    assert str(out) in last
    assert "Traceback" not in errors
    assert not (out / LOCK).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_train_acknowledges_the_first_signal(number, train, tmp_path):
    out = tmp_path / "out"
    process = begin(*train(out, "--steps", 500))
    wait_for(out / "checkpoints" / "step-00000001", process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert "aurify: stopping and saving; Ctrl-C again leaves at once" in errors
    assert "go on with: aurify train --config" in errors.splitlines()[-1]
    assert not (out / LOCK).exists()


@pytest.mark.parametrize("method", ["star", "trice"])
def test_the_gradient_of_the_first_step_is_broken_off(method, train, aurify, monkeypatch, tmp_path):
    def without_end(*given, **more):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("went on")

    monkeypatch.setattr("aurify.training.update.accumulate_gradient", without_end)
    out = tmp_path / "out"
    words = [method if word == "trice" else word for word in train(out)]
    place = words.index("--memory")
    done = aurify(*words[:place], *words[place + 2 :])
    assert done.status == 1
    assert "aurify: stopped before the first step was done; go on with: " in done.err.splitlines()[-1]
    assert not (out / LOCK).exists()


@pytest.mark.parametrize(
    ("work", "again"),
    [
        ("run.prepare", "the same again"),
        ("run.limit_from_pilot", "aurify train --config"),
        ("em.choose_guide", "aurify train --config"),
    ],
)
def test_what_comes_before_the_first_step_is_broken_off(work, again, train, aurify, monkeypatch, tmp_path):
    def without_end(*given, **more):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("went on")

    monkeypatch.setattr(f"aurify.training.{work}", without_end)
    monkeypatch.setattr("aurify.training.run.worth_a_pilot", lambda *size: work == "run.limit_from_pilot")
    out = tmp_path / "out"
    words = train(out)
    place, limit = words.index("--memory"), words.index("--max-new-tokens")
    done = aurify(*(word for n, word in enumerate(words) if n not in (place, place + 1, limit, limit + 1)))
    assert done.status == 1
    assert f"aurify: stopped before the first step was done; go on with: {again}" in done.err.splitlines()[-1]
    assert not (out / LOCK).exists()
