"""The workers and their jobs: one job each at a time, and a replacement for whoever dies."""

from __future__ import annotations

import os
import signal
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from aurify.answers.worker_process import START_TIMEOUT, WorkerProcess, WorkerReply, readable
from aurify.errors import AurifyError

CRASHES = 2
"""A comparison whose process crashes this often is to blame: once may be what an earlier one left behind."""
KILLS = 10
"""A comparison whose process is killed from outside (SIGKILL) this often is to blame: it eats the machine's memory."""


@dataclass(frozen=True)
class Job:
    """One comparison: ``op`` is math, code, or custom or reward with the ``spec`` of the user's function."""

    op: str
    pred: str
    gold: str
    spec: str = ""
    timeout: float = 0.0
    """Seconds that it may take; 0: as long as any other."""

    @property
    def preload(self) -> str:
        """What a worker imports before it can do this."""
        return self.spec or self.op


class JobResult(NamedTuple):
    """A verdict's word, its reason, and the score, where the job gives one."""

    word: str
    reason: str
    score: float | None = None


class WorkerPool:
    """Up to ``workers`` servers, started when first needed. A job that kills its process loses only itself.

    A server dies with the thread that started it (``worker._die_with``), so that is one of the pool's own, and the
    servers outlive a thread that only asks.
    """

    def __init__(self, *, timeout: float, memory_mb: int, workers: int) -> None:
        self.timeout, self.memory_mb, self.size = timeout, memory_mb, workers
        self._workers: list[WorkerProcess] = []
        self._starter: ThreadPoolExecutor | None = None
        self._owner = os.getpid()

    def run(self, jobs: Sequence[Job]) -> list[JobResult]:
        """The outcome of every job, in order: its verdict and reason.

        Raises:
            AurifyError: a worker cannot start.
        """
        if self._owner != os.getpid():  # after a fork the workers are the parent's, not ours
            self._workers, self._starter, self._owner = [], None, os.getpid()
        try:
            return _Run(self, jobs).outcomes()
        except BaseException:
            self.close()
            raise

    def idle(self, preload: str) -> WorkerProcess | None:
        """A worker without a job, a new one where there may be more; None: all have one."""
        for worker in self._workers:
            if worker.job is None:
                return worker
        if len(self._workers) >= self.size:
            return None
        self._starter = self._starter or ThreadPoolExecutor(max_workers=1, thread_name_prefix="workers")
        self._workers.append(self._starter.submit(WorkerProcess, self.timeout, self.memory_mb, preload).result())
        return self._workers[-1]

    def busy(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.job is not None]

    def drop(self, worker: WorkerProcess) -> None:
        worker.kill()
        self._workers.remove(worker)

    def close(self) -> None:
        """Kill every worker."""
        if self._owner == os.getpid():
            for worker in self._workers:
                worker.kill()
            if self._starter is not None:
                self._starter.shutdown()
        self._workers, self._starter = [], None

    def pids(self) -> list[int]:
        """The ids of the processes that stand."""
        return [pid for worker in self._workers for pid in (worker.process.pid, worker.pid) if pid]


class _Run:
    """The jobs of one call, until every one has its outcome."""

    def __init__(self, pool: WorkerPool, jobs: Sequence[Job]) -> None:
        self.pool, self.jobs = pool, jobs
        self.waiting = deque(range(len(jobs)))
        self.done: dict[int, JobResult] = {}
        self.crashes: Counter[int] = Counter()
        self.kills: Counter[int] = Counter()

    def outcomes(self) -> list[JobResult]:
        while len(self.done) < len(self.jobs):
            while self.waiting and (worker := self.pool.idle(self.jobs[self.waiting[0]].preload)):
                worker.job = self.waiting.popleft()
                if worker.state == "idle":
                    self._start(worker)
            busy = self.pool.busy()
            ready = readable(busy)
            for worker in busy:
                if worker in ready:
                    self._heard(worker, worker.receive())
                elif worker.overdue(self._timeout(worker)):
                    self._overdue(worker)
        return [self.done[i] for i in range(len(self.jobs))]

    def _start(self, worker: WorkerProcess) -> None:
        assert worker.job is not None
        job = self.jobs[worker.job]
        if job.preload not in worker.loaded:
            worker.loaded.add(job.preload)
            worker.send("loading", {"op": "load", "what": job.preload}, START_TIMEOUT)
        else:
            request = {"op": job.op, "pred": job.pred, "gold": job.gold, "spec": job.spec}
            timeout = job.timeout or self.pool.timeout
            worker.send("busy", {**request, "timeout": timeout}, timeout)

    def _heard(self, worker: WorkerProcess, replies: Sequence[WorkerReply] | None) -> None:
        if replies is None:
            self._lost(worker)
            return
        for reply in replies:
            word = reply["verdict"]
            if word == "ready":
                self._ready(worker, reply)
            elif word == "failed":
                raise self._cannot_start(reply["reason"], worker.preloaded)
            elif reply["number"] == worker.number and worker.state in ("loading", "busy"):
                self._replied(worker, reply)

    def _ready(self, worker: WorkerProcess, reply: WorkerReply) -> None:
        """Another process answers now; what the one before had in hand, if anything, is asked again."""
        state = worker.state
        worker.answers(reply["pid"])
        if state in ("loading", "busy"):
            self._died(worker, killed=reply["reason"] == "killed")
        if worker.job is not None:
            self._start(worker)

    def _replied(self, worker: WorkerProcess, reply: WorkerReply) -> None:
        assert worker.job is not None
        word = reply["verdict"]
        if worker.state == "loading":
            if word != "loaded":
                raise self._cannot_start(reply["reason"], self.jobs[worker.job].preload)
            self._start(worker)
        elif word == "memory":
            self._died(worker, killed=False, reason=reply["reason"])
            self._replace(worker)
        else:
            self.done[worker.job] = JobResult(word, reply["reason"], reply.get("score"))
            worker.job, worker.state = None, "idle"

    def _lost(self, worker: WorkerProcess) -> None:
        """The server itself is gone."""
        killed = worker.process.wait() == -signal.SIGKILL
        if worker.state != "busy" and not killed:
            raise self._cannot_start("it ended")
        self._died(worker, killed=killed)
        job, worker.job = worker.job, None
        self.pool.drop(worker)
        if job is not None:
            self.waiting.appendleft(job)

    def _died(self, worker: WorkerProcess, *, killed: bool, reason: str = "") -> None:
        """The process died with a job in hand. It stays in hand, unless it is to blame: then it is done."""
        job = worker.job
        assert job is not None
        (self.kills if killed else self.crashes)[job] += 1
        if self.crashes[job] >= CRASHES or self.kills[job] >= KILLS:
            reason = reason or f"{self.jobs[job].spec or 'the parser'} crashed"
            self.done[job], worker.job = JobResult("unparsable", reason), None

    def _timeout(self, worker: WorkerProcess) -> float:
        job = None if worker.job is None else self.jobs[worker.job]
        return (job and job.timeout) or self.pool.timeout

    def _overdue(self, worker: WorkerProcess) -> None:
        assert worker.job is not None
        if worker.state != "busy":
            raise AurifyError(f"the worker that compares answers did not start within {START_TIMEOUT:g} s")
        self.done[worker.job] = JobResult("timeout", f"no verdict within {self._timeout(worker):g} s")
        worker.job = None
        self._replace(worker)

    def _replace(self, worker: WorkerProcess) -> None:
        """Kill the process that answers; its server forks another."""
        worker.process.send_signal(signal.SIGUSR1)
        worker.restart()

    def _cannot_start(self, reason: str, what: str = "") -> AurifyError:
        """``what``: that it was to import; a user's own function is the user's to mend."""
        if ":" in what:
            return AurifyError(
                f"the worker that compares answers cannot import {what} ({reason}): its module must be a file in the "
                f"current folder or on PYTHONPATH, and import within {self.pool.memory_mb} MB"
            )
        return AurifyError(
            f"the worker that compares answers cannot start ({reason}): "
            f"check that math-verify is installed, or allow it more than {self.pool.memory_mb} MB"
        )
