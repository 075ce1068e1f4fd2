"""The parent's side of the workers: a clock, a kill switch, and a replacement for whoever dies."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aurify.errors import AurifyError

START_TIMEOUT = 120.0
"""Seconds a worker may take to start and import: it is no answer's fault, and machines are busy."""
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from aurify.answers.worker import main; main()"


@dataclass(frozen=True)
class Job:
    """One comparison: ``op`` is math, or custom with the ``spec`` of the user's function."""

    op: str
    pred: str
    gold: str
    spec: str = ""


Outcome = tuple[str, str]
"""A verdict's word and its reason."""


class _Worker:
    """One process, and the job it has in hand."""

    def __init__(self, timeout: float, memory_mb: int) -> None:
        config = json.dumps({"timeout": timeout, "memory_mb": memory_mb, "parent": os.getpid()})
        # -c with our own sys.path, not -m: nothing in the current folder can stand in for a library
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, config, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self.loaded: set[str] = set()
        self.job: int | None = None
        self.loading = False
        self.deadline = 0.0
        self.served = 0
        self._unread = b""

    def send(self, request: dict[str, Any], timeout: float) -> bool:
        """Write one request and start its clock; False where the worker is already dead."""
        assert self.process.stdin is not None
        self.deadline = time.monotonic() + timeout
        data = (json.dumps(request, ensure_ascii=False) + "\n").encode()
        try:
            while data:
                data = data[self.process.stdin.write(data) :]
        except OSError:
            return False
        return True

    def receive(self) -> dict[str, Any] | None:
        """What has come: a reply, an empty dict for a part of one, None for the end of a dead worker."""
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
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Pool:
    """Up to ``workers`` processes, started when first needed. A job that kills its worker loses only itself."""

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
        outcomes: dict[int, Outcome] = {}
        waiting = deque(range(len(jobs)))
        try:
            while len(outcomes) < len(jobs):
                self._assign(jobs, waiting)
                self._wait(jobs, waiting, outcomes)
        except BaseException:
            self.close()
            raise
        return [outcomes[i] for i in range(len(jobs))]

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._workers if self._owner == os.getpid() else ():
            worker.kill()
        self._workers = []

    def pids(self) -> list[int]:
        """The process ids of the workers that stand."""
        return [worker.process.pid for worker in self._workers]

    def _assign(self, jobs: Sequence[Job], waiting: deque[int]) -> None:
        while waiting:
            idle = next((worker for worker in self._workers if worker.job is None), None)
            if idle is None:
                if len(self._workers) >= self.size:
                    return
                idle = _Worker(self.timeout, self.memory_mb)
                self._workers.append(idle)
            idle.job = waiting.popleft()
            if not self._start(idle, jobs[idle.job]):
                waiting.appendleft(idle.job)
                self._drop(idle)

    def _start(self, worker: _Worker, job: Job) -> bool:
        worker.loading = job.op not in worker.loaded
        if worker.loading:
            worker.loaded.add(job.op)
            return worker.send({"op": "load", "what": job.op}, START_TIMEOUT)
        return worker.send({"op": job.op, "pred": job.pred, "gold": job.gold, "spec": job.spec}, self.timeout)

    def _wait(self, jobs: Sequence[Job], waiting: deque[int], outcomes: dict[int, Outcome]) -> None:
        """Until a worker has replied, died or run out of time."""
        busy = [worker for worker in self._workers if worker.job is not None]
        with selectors.DefaultSelector() as selector:
            for worker in busy:
                assert worker.process.stdout is not None
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
            until = min(worker.deadline for worker in busy)
            ready = [key.data for key, _ in selector.select(max(0.0, until - time.monotonic()))]
        for worker in busy:
            reply = worker.receive() if worker in ready else {}
            if reply == {} and time.monotonic() < worker.deadline:
                continue
            self._settle(worker, reply, jobs, waiting, outcomes)

    def _settle(
        self,
        worker: _Worker,
        reply: dict[str, Any] | None,
        jobs: Sequence[Job],
        waiting: deque[int],
        outcomes: dict[int, Outcome],
    ) -> None:
        job = worker.job
        assert job is not None
        if worker.loading:
            if not reply or reply["verdict"] != "ready":
                why = (reply or {}).get("reason") or f"exit status {worker.process.poll()}"
                raise AurifyError(
                    f"the worker that compares answers cannot start ({why}): "
                    f"check that math-verify is installed, or allow it more than {self.memory_mb} MB"
                )
            if not self._start(worker, jobs[job]):
                waiting.appendleft(job)
                self._drop(worker)
        elif reply and reply["verdict"] != "memory":
            outcomes[job], worker.job = (reply["verdict"], reply["reason"]), None
            worker.served += 1
        else:
            self._drop(worker)
            if reply == {}:
                outcomes[job] = ("timeout", f"no verdict within {self.timeout:g} s")
            elif worker.served:  # what earlier jobs left behind may be to blame: once more, in a fresh worker
                waiting.appendleft(job)
            else:
                outcomes[job] = ("unparsable", reply["reason"] if reply else "the parser crashed")

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        self._workers.remove(worker)
