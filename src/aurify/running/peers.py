"""The processes of a run end together: one that fails, is killed, hangs or is cut off ends all, with its reason.

Beside each stands a small watcher (``peer_watch.py``), and the watchers speak to each other over connections of their
own. What is learned and drawn does not depend on them.
"""

from __future__ import annotations

import json
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from aurify.pulse import Sign
from aurify.running import peer_watch

SILENT, GRACE, STALLED = 12, 8, 3600
STARTED_WITHIN = 60.0
"""Seconds in which a watcher listens or is connected; without it the run goes on unwatched."""


class Meeting(NamedTuple):
    """Where the watchers of a run find each other."""

    port: int
    secret: str


class Peers:
    """This process's watcher.

    Args:
        host: on which rank 0 is reached.
        once: gives what its argument returns in rank 0, which alone calls it, to all.
        silent: seconds without a word of a process, or in which it stands stopped, after which it counts as gone.
        grace: seconds in which a process may end by itself when another one has failed; then it is killed.
        stalled: seconds without progress (``hear``) after which a process for which others wait counts as failed.
    """

    def __init__(
        self,
        rank: int,
        size: int,
        host: str,
        once: Callable[[Callable[[], Meeting]], Meeting],
        *,
        silent: int = SILENT,
        grace: int = GRACE,
        stalled: int = STALLED,
    ) -> None:
        self._watcher: subprocess.Popen[bytes] | None = None
        self._heard, self._told, self._waits, self._in_step = b"", 0.0, False, False

        def start(port: int) -> None:
            numbers = map(str, (port, silent, grace, stalled))
            words = [str(Path(peer_watch.__file__)), str(rank), str(size), host, *numbers]
            with suppress(OSError):
                self._watcher = subprocess.Popen(
                    [sys.executable, "-I", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
                )

        def open_door() -> Meeting:
            start(0)
            return Meeting(int((self._line(STARTED_WITHIN) or {}).get("port", 0)), secrets.token_urlsafe(16))

        meeting = once(open_door)
        if rank and meeting.port:
            start(meeting.port)
        self._say({"secret": meeting.secret})
        if rank:
            self._line(STARTED_WITHIN)

    def failed(self, text: str) -> None:
        """Say to all why this process ends."""
        self._say({"failed": f"ended: {text[:2000]}"})

    def stop(self) -> None:
        """Have all processes stop, as this one was asked to."""
        self._say({"stop": True})

    def hear(self, sign: Sign) -> None:
        """Tell the watcher that the process goes on, but not oftener than once a second, and waits, but not for it."""
        now = time.monotonic()
        if sign in ("moved", "pass") and now - self._told < 1.0:
            return
        if sign in ("waits", "works"):
            self._waits = sign == "waits"
        elif sign in ("in step", "apart"):
            self._in_step = sign == "in step"
        self._told = now
        if self._watcher and self._watcher.stdin and select.select([], [self._watcher.stdin], [], 0)[1]:
            self._say({"waits": self._waits, "in step": self._in_step})

    def reason(self, seconds: float) -> str | None:
        """Why another process has ended, as soon as that is known; None: nothing was heard within these seconds."""
        found = self._line(seconds)
        return str(found["failed"]) if found and "failed" in found else None

    def close(self) -> None:
        """End the watcher; after ``failed`` it has told the others."""
        self._say({"end": True})
        if self._watcher and self._watcher.stdin:
            with suppress(OSError):
                self._watcher.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._watcher.wait(5.0)
            if self._watcher.stdout:
                self._watcher.stdout.close()
        self._watcher = None

    def _say(self, message: dict[str, Any]) -> None:
        if self._watcher and self._watcher.stdin:
            with suppress(OSError, ValueError):
                self._watcher.stdin.write(json.dumps(message).encode() + b"\n")

    def _line(self, seconds: float) -> dict[str, Any] | None:
        """The next line from the watcher, if it comes in time."""
        while self._watcher and self._watcher.stdout and b"\n" not in self._heard:
            if not select.select([self._watcher.stdout], [], [], seconds)[0]:
                return None
            read = self._watcher.stdout.read(4096)
            if not read:
                return None
            self._heard += read
        line, _, self._heard = self._heard.partition(b"\n")
        return dict(json.loads(line)) if line else None
