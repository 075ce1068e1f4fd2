"""One program against its tests: starts the two processes, keeps the clock and the output, ends whatever is left."""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

OUTPUT = 2**20
"""Bytes that a program may print; it is ended beyond."""
_SOURCE = str(Path(__file__).parents[2])
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main()"
_PROBE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from aurify.sandbox.isolation import isolate; import os; "
    "sys.exit(0 if isolate(sys.argv[2], memory_mb=512, seconds=10, parent=os.getppid()) else 3)"
)


class Exam(NamedTuple):
    """What a program has to pass."""

    before: tuple[str, ...]
    """Run before the program, in its process, and before the tests, in theirs: what it completes."""
    setup: tuple[str, ...]
    """Run before the tests, in theirs."""
    tests: tuple[str, ...]
    call: str = ""
    """The function that ``check`` of the last test is called with; none: the tests call what they need."""


def examine(program: str, exam: Exam, *, seconds: float, memory_mb: int) -> tuple[str, str]:
    """The verdict on a program, and why: right, wrong, unparsable or timeout.

    Args:
        seconds: of wall-clock time, for all tests together.
        memory_mb: address space of each process, in MiB.
    """
    folder = tempfile.mkdtemp(prefix="aurify-program-")
    ours, theirs = socket.socketpair()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with ours, theirs:
            base = {"folder": folder, "memory_mb": memory_mb, "seconds": int(seconds) + 1}
            parts = [*exam.before, program]
            processes.append(_started("aurify.sandbox.candidate", theirs, {**base, "parts": parts}))
            tests = {**base, "setup": [*exam.before, *exam.setup], "tests": exam.tests, "call": exam.call}
            processes.append(_started("aurify.sandbox.examiner", ours, tests))
        candidate, examiner = processes
        return _watched(candidate, examiner, seconds)
    finally:
        for process in processes:
            _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def has_namespaces() -> bool:
    """Whether this system lets a program be shut off from the network and from files."""
    folder = tempfile.mkdtemp(prefix="aurify-program-")
    try:
        command = [sys.executable, "-I", "-c", _PROBE, _SOURCE, folder]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(role: str, line: socket.socket, config: dict[str, Any]) -> subprocess.Popen[bytes]:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: what outlives its parent becomes ours, to be ended
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOT.format(role), _SOURCE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[line.fileno()],
        start_new_session=True, env={"PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps({**config, "socket": line.fileno(), "parent": os.getpid()}).encode())
        process.stdin.close()
    return process


def _watched(candidate: subprocess.Popen[bytes], examiner: subprocess.Popen[bytes], seconds: float) -> tuple[str, str]:
    """Wait for the examiner's word, while the candidate prints no more than it may."""
    assert candidate.stdout is not None
    assert examiner.stdout is not None
    printed, said, deadline = 0, b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(candidate.stdout, selectors.EVENT_READ)
        selector.register(examiner.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            ready = {key.fileobj for key, _ in selector.select(max(left, 0))}
            if examiner.stdout in ready:
                more = os.read(examiner.stdout.fileno(), 2**16)
                said += more
                if not more:
                    return _word(said)
            if candidate.stdout in ready:
                more = os.read(candidate.stdout.fileno(), 2**16)
                printed += len(more)
                if not more:
                    selector.unregister(candidate.stdout)
                if printed > OUTPUT:
                    return "wrong", "prints more than 1 MiB"
            if left <= 0:
                return "timeout", f"timed out after {seconds:g} s"


def _word(said: bytes) -> tuple[str, str]:
    try:
        found = json.loads(said)
        return found["verdict"], found["reason"]
    except (ValueError, KeyError, TypeError):
        return "unparsable", "the process that runs the tests ended without a word"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with its session, and whatever of it found its way out of that and became ours."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()


def end_orphans() -> None:
    """Kill every child of this process, and the children that this leaves to it, for at most a second."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        pids: Sequence[str] = children.read_text().split() if children.exists() else ()
        if not pids:
            return
        for pid in map(int, pids):
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
