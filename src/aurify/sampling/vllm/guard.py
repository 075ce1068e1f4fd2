"""Runs a server for as long as the process that wanted it lives, and not longer.

    python guard.py PARENT_PID COMMAND...

aurify starts this file rather than the server, in a session of its own, so that a Ctrl-C at the terminal reaches aurify
alone. The server and its workers are ended on SIGTERM, on SIGINT, and as soon as the parent is gone, however it went: a
killed process can end nothing itself. Standard library only; nothing of aurify is imported.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType

POLL_SECONDS = 0.5
GRACE_SECONDS = 10.0
"""How long the server may take to end by itself before it is killed."""


def guard(parent: int, command: list[str]) -> int:
    """Run the command until it ends (its status is returned), until a signal comes, or until the parent is gone."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_prepare)
    try:
        while os.getppid() == parent:
            with suppress(subprocess.TimeoutExpired):
                status = server.wait(POLL_SECONDS)
                return status if status >= 0 else 128 - status  # as a shell tells that a signal ended it
    except SystemExit:
        pass
    finally:
        _end(server)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, then kill what is left of its process group: the workers."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        server.terminate()
        server.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)


def _prepare() -> None:
    """In the server, before it begins: a process group of its own, and on Linux SIGTERM when the guard itself is
    killed (PR_SET_PDEATHSIG of linux/prctl.h)."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(guard(int(sys.argv[1]), sys.argv[2:]))
