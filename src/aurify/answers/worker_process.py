"""One worker as its parent sees it: a process that is sent requests, with a clock, and that is killed at its limits.

Any process may be killed at any time, by us, by the system or by somebody else. So every request has a number, and a
reply counts only where it bears the number of the request that was sent last: a request that one process left in the
pipe is answered by the next as well, and that reply belongs to nobody.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 20
"""Times its timeout that a comparison may take on a busy machine, while it has not had that much processor time."""
START_TIMEOUT = 300.0
"""Seconds a worker may take to start and import: it is no answer's fault, and machines are busy."""
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from aurify.answers.worker import main; main()"

WorkerReply = dict[str, Any]


class WorkerProcess:
    """One server of comparisons, and the job it has in hand.

    ``state``: "starting" (the process that answers is not there yet), "idle", "loading" (importing), "busy".
    """

    def __init__(self, timeout: float, memory_mb: int, preload: str) -> None:
        config = {"timeout": timeout, "memory_mb": memory_mb, "parent": os.getpid(), "preload": preload}
        # -c with our own sys.path, not -m: nothing in the current folder can stand in for a library
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(config), json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # one group to kill; out of reach of Ctrl-C
        )
        self.preloaded = preload
        self.loaded: set[str] = {preload}
        self.job: int | None = None
        self.pid = 0
        self.number = 0
        self._unread = b""
        self.restart()

    def restart(self) -> None:
        """Wait for the next process that answers."""
        self.state, self.loaded = "starting", {self.preloaded}
        self.begun = time.monotonic()
        self.deadline = self.begun + START_TIMEOUT

    def answers(self, pid: int) -> None:
        """A process says that it is there."""
        self.state, self.pid, self.loaded = "idle", pid, {self.preloaded}

    def send(self, state: str, request: dict[str, Any], timeout: float) -> None:
        """Write one request and start its clock. A worker that died is found out when its reply is read."""
        assert self.process.stdin is not None
        self.number += 1
        self.state, self.begun, self._cpu = state, time.monotonic(), _cpu_time(self.pid)[0]
        self.deadline = self.begun + timeout
        data = (json.dumps({**request, "number": self.number}, ensure_ascii=False) + "\n").encode()
        with suppress(OSError):
            while data:
                data = data[self.process.stdin.write(data) :]

    def overdue(self, timeout: float) -> bool:
        """Whether its time is up. One that waits for a processor, on a busy machine, is given more of the clock."""
        now = time.monotonic()
        if now < self.deadline:
            return False
        if self.state == "busy" and now < self.begun + PATIENCE * timeout:
            cpu, runs = _cpu_time(self.pid)
            left = timeout - (cpu - self._cpu)
            if runs and left > 0.01:
                self.deadline = now + left
                return False
        return True

    def receive(self) -> list[WorkerReply] | None:
        """The whole replies that have come, maybe none; None where there is nobody any more."""
        assert self.process.stdout is not None
        chunk = os.read(self.process.stdout.fileno(), 65536)
        if not chunk:
            return None
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        return [reply for reply in map(_parsed, lines) if reply]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def readable(workers: Sequence[WorkerProcess]) -> list[WorkerProcess]:
    """Those from which something has come, at the latest when the first is overdue."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        until = min(worker.deadline for worker in workers)
        return [key.data for key, _ in selector.select(max(0.0, until - time.monotonic()))]


def _parsed(line: bytes) -> WorkerReply | None:
    """A reply; None for what a killed process left of one."""
    try:
        reply: WorkerReply = json.loads(line)
    except ValueError:
        return None
    return reply


def _cpu_time(pid: int) -> tuple[float, bool]:
    """Processor time of a process in seconds, and whether it runs or waits for a processor; Linux alone tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, False
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == "R"
