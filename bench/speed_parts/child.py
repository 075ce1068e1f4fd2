"""Child processes that work when told to: both halves of a small protocol over their pipes.

A worker prints lines that begin with ``@@ `` and hold JSON; all else that it prints is its libraries' own. It waits
for a line on its standard input wherever it calls :func:`wait`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MARK = "@@ "


class Child:
    """A worker module in another process, with an interpreter, threads and cores of its own.

    Args:
        module: its name under ``speed_parts``.
        plan: what it is told at the start; anything that JSON holds.
        root: the checkout whose bench and source it runs [this one].
    """

    def __init__(
        self,
        module: str,
        plan: Mapping[str, Any],
        *,
        python: Path | str = sys.executable,
        threads: int,
        core: int | None = None,
        root: Path | None = None,
    ) -> None:
        root = (root or Path(__file__).parents[2]).resolve()
        path = os.pathsep.join(str(root / part) for part in ("bench", "src"))
        quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
        env = {**os.environ, **quiet, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process, in close()
        self._process = subprocess.Popen(
            [str(python), "-m", f"speed_parts.{module}", json.dumps(plan)], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})

    def read(self) -> Any:
        """The next thing that the worker says; RuntimeError with its last words where it has ended."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
        status = self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().splitlines()]
        words = [line for line in lines if line and "Warning" not in line and "warnings.warn" not in line]
        raise RuntimeError(f"{words[-1] if words else 'it said nothing'} (exit status {status})")

    def go(self, word: Any = None) -> Any:
        """Let it work on, and read what it says of that."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended; read tells why
            self._process.stdin.write(json.dumps(word) + "\n")
            self._process.stdin.flush()
        return self.read()

    def processor_seconds(self) -> float:
        """What all its threads have worked since it began (Linux)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory that its process has held so far (Linux)."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

    def close(self) -> None:
        """End it: a worker that waits ends by itself when its input does, and takes its temporary files along."""
        assert self._process.stdin
        with suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self._process.stdin.close()
            self._process.wait(5.0)
        self._process.kill()
        self._process.wait()
        self._log.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def steps_in_turn(workers: Mapping[str, Child], repeats: int) -> Iterator[tuple[str, int, float]]:
    """(worker, round, processor seconds of its step), the order changing each round; round 0 is for warming up."""
    for turn in range(repeats + 1):
        for name in sorted(workers, reverse=bool(turn % 2)):
            begun = workers[name].processor_seconds()
            workers[name].go()
            yield name, turn, workers[name].processor_seconds() - begun


def plan_of_worker() -> Any:
    """In a worker: what it was told at the start. Torch then keeps to the threads it was given."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return json.loads(sys.argv[1])


def say(what: Any) -> None:
    """In a worker: tell the parent."""
    print(f"\n{MARK}{json.dumps(what)}", flush=True)


def wait() -> Any:
    """In a worker: stop until the parent says go; what it said with that. The worker ends with its parent."""
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    return json.loads(line)


class Gate:
    """In a worker whose loop is another's: stops at the end of every step, and times from go to the next stop."""

    def __init__(self) -> None:
        self._begun: float | None = None

    def step_ended(self) -> None:
        """Tell the seconds since go (at first None), then stop."""
        say(None if self._begun is None else time.perf_counter() - self._begun)
        wait()
        self._begun = time.perf_counter()
