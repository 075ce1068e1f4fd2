"""A teacher on a real port, questions for it, and a process that can be killed at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from teacher_server import TeacherServer, teacher_server

KEY = "sk-very-secret-12345678"

_CHILDREN = """
import json, os, sys
import openai, pyarrow.parquet
from aurify.collecting.run import run_sample
from aurify.collecting.settings import SampleSettings

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        found = run_sample(SampleSettings(**json.loads(line)))
        os._exit(0 if not found.failures and found.stopped is None else 3)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Children:
    """Starts runs of ``aurify sample``, each a process of its own, forked where the imports are done already."""

    def __init__(self) -> None:
        environment = {**os.environ, "TEST_KEY": KEY}
        self._parent = subprocess.Popen(
            [sys.executable, "-c", _CHILDREN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def start(self, **settings: object) -> int:
        """Start one; its process id."""
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(settings) + "\n")
        self._parent.stdin.flush()
        return self._number()

    def wait(self) -> int:
        """The exit status of the one that was started; negative where a signal ended it."""
        return self._number()

    def close(self) -> None:
        self._parent.communicate()

    def _number(self) -> int:
        assert self._parent.stdout is not None
        return int(self._parent.stdout.readline())


@pytest.fixture
def server() -> Iterator[TeacherServer]:
    with teacher_server() as running:
        yield running


@pytest.fixture
def children() -> Iterator[Children]:
    running = Children()
    yield running
    running.close()


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Thirty questions that the server can answer."""
    path = tmp_path / "sums.jsonl"
    rows = [{"id": f"s{n}", "question": f"What is {n} plus {n * n}?", "answer": n + n * n} for n in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
