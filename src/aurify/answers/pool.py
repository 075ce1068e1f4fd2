"""The parent's side of the workers: a clock, a kill switch, and a replacement for whoever dies."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError

PATIENCE = 20
"""On a busy machine a comparison may take so many times its timeout, while it has not had that much processor time."""
START_TIMEOUT = 300.0
"""Seconds a worker may take to start and import: it is no answer's fault, and machines are busy."""
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from aurify.answers.worker import main; main()"


@dataclass(frozen=True)
class Job:
    """One comparison: ``op`` is math, or custom with the ``spec`` of the user's function."""

    op: str
    pred: str
    gold: str
    spec: str = ""

    @property
    def preload(self) -> str:
        """What a worker imports before it can do this."""
        return self.spec or self.op


Outcome = tuple[str, str]
"""A verdict's word and its reason."""


class _Worker:
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
        self._unread = b""
        self.restart()

    def restart(self) -> None:
        """Wait for the next process that answers."""
        self.state, self.loaded = "starting", {self.preloaded}
        self.begun = time.monotonic()
        self.deadline = self.begun + START_TIMEOUT

    def send(self, state: str, request: dict[str, Any], timeout: float) -> None:
        """Write one request and start its clock. A worker that died is found out when its reply is read."""
        assert self.process.stdin is not None
        self.state, self.begun, self._cpu = state, time.monotonic(), _cpu_time(self.pid)[0]
        self.deadline = self.begun + timeout
        data = (json.dumps(request, ensure_ascii=False) + "\n").encode()
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

    def receive(self) -> dict[str, Any] | None:
        """What has come: a reply, an empty dict for a part of one, None where there is nobody any more."""
        assert self.process.stdout is not None
        chunk = os.read(self.process.stdout.fileno(), 65536)
        if not chunk:
            return None
        self._unread += chunk
        line, newline, rest = self._unread.partition(b"\n")
        if not newline:
            return {}
        self._unread = rest
        reply: dict[str, Any] = json.loads(line)
        return reply

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Pool:
    """Up to ``workers`` servers, started when first needed. A job that kills its process loses only itself."""

    def __init__(self, *, timeout: float, memory_mb: int, workers: int) -> None:
        self.timeout, self.memory_mb, self.size = timeout, memory_mb, workers
        self._workers: list[_Worker] = []
        self._owner = os.getpid()

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcome of every job, in order: its verdict and reason.

        Raises:
            AurifyError: a worker cannot start.
        """
        if self._owner != os.getpid():  # after a fork the workers are the parent's, not ours
            self._workers, self._owner = [], os.getpid()
        try:
            return _Run(self, jobs).outcomes()
        except BaseException:
            self.close()
            raise

    def idle(self, preload: str) -> _Worker | None:
        """A worker without a job, a new one where there may be more; None: all have one."""
        for worker in self._workers:
            if worker.job is None:
                return worker
        if len(self._workers) >= self.size:
            return None
        self._workers.append(_Worker(self.timeout, self.memory_mb, preload))
        return self._workers[-1]

    def busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job is not None]

    def drop(self, worker: _Worker) -> None:
        worker.kill()
        self._workers.remove(worker)

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._workers if self._owner == os.getpid() else ():
            worker.kill()
        self._workers = []

    def pids(self) -> list[int]:
        """The ids of the processes that stand."""
        return [pid for worker in self._workers for pid in (worker.process.pid, worker.pid) if pid]


class _Run:
    """The jobs of one call, until every one has its outcome."""

    def __init__(self, pool: Pool, jobs: Sequence[Job]) -> None:
        self.pool, self.jobs = pool, jobs
        self.waiting = deque(range(len(jobs)))
        self.done: dict[int, Outcome] = {}
        self.retried: set[int] = set()

    def outcomes(self) -> list[Outcome]:
        while len(self.done) < len(self.jobs):
            while self.waiting and (worker := self.pool.idle(self.jobs[self.waiting[0]].preload)):
                worker.job = self.waiting.popleft()
                if worker.state == "idle":
                    self._start(worker, self.jobs[worker.job])
            busy = self.pool.busy()
            ready = _readable(busy)
            for worker in busy:
                if worker in ready:
                    self._heard(worker, worker.receive())
                elif worker.overdue(self.pool.timeout):
                    self._overdue(worker)
        return [self.done[i] for i in range(len(self.jobs))]

    def _start(self, worker: _Worker, job: Job) -> None:
        if job.preload not in worker.loaded:
            worker.loaded.add(job.preload)
            worker.send("loading", {"op": "load", "what": job.preload}, START_TIMEOUT)
        else:
            request = {"op": job.op, "pred": job.pred, "gold": job.gold, "spec": job.spec}
            worker.send("busy", request, self.pool.timeout)

    def _heard(self, worker: _Worker, reply: dict[str, Any] | None) -> None:
        assert worker.job is not None
        if reply == {}:
            return
        word = reply["verdict"] if reply else "gone"
        if word == "ready" and worker.state == "starting":
            assert reply is not None
            worker.state, worker.pid = "idle", reply["pid"]
            self._start(worker, self.jobs[worker.job])
        elif worker.state == "starting" and word not in ("gone", "failed"):
            pass  # the last word of a process that was killed meanwhile
        elif worker.state == "loading" and word == "loaded":
            self._start(worker, self.jobs[worker.job])
        elif worker.state != "busy":
            raise AurifyError(
                f"the worker that compares answers cannot start ({(reply or {}).get('reason') or word}): "
                f"check that math-verify is installed, or allow it more than {self.pool.memory_mb} MB"
            )
        elif reply and word not in ("ready", "memory"):
            self.done[worker.job], worker.job, worker.state = (word, reply["reason"]), None, "idle"
        else:
            self._crashed(worker, reply)

    def _crashed(self, worker: _Worker, reply: dict[str, Any] | None) -> None:
        """Once more, in a fresh process, as what earlier jobs left behind may be to blame; then it is the job."""
        job, worker.job = worker.job, None
        assert job is not None
        if job in self.retried:
            self.done[job] = ("unparsable", reply["reason"] if reply and reply["reason"] else "the parser crashed")
        else:
            self.retried.add(job)
            self.waiting.appendleft(job)
        if reply is None:
            self.pool.drop(worker)
        elif reply["verdict"] == "ready":
            worker.restart()
            worker.state, worker.pid = "idle", reply["pid"]
        else:
            self._replace(worker)

    def _overdue(self, worker: _Worker) -> None:
        assert worker.job is not None
        if worker.state != "busy":
            raise AurifyError(f"the worker that compares answers did not start within {START_TIMEOUT:g} s")
        self.done[worker.job], worker.job = ("timeout", f"no verdict within {self.pool.timeout:g} s"), None
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """Kill the process that answers; its server forks another."""
        worker.process.send_signal(signal.SIGUSR1)
        worker.restart()


def _readable(workers: Sequence[_Worker]) -> list[_Worker]:
    """Those from which something has come, at the latest when the first is overdue."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        until = min(worker.deadline for worker in workers)
        return [key.data for key, _ in selector.select(max(0.0, until - time.monotonic()))]


def _cpu_time(pid: int) -> tuple[float, bool]:
    """Processor time of a process in seconds, and whether it runs or waits for a processor; Linux alone tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, False
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == "R"
