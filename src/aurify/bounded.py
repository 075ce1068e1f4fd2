"""Somebody else's program in this process, for a limited time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLong(Exception):
    """The time is up."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """What happens inside may take so much processor time of this process.

    It holds in the main thread alone, where Python runs signal handlers, and between two steps of Python code: one
    call of a library written in C is not broken off.

    Raises:
        TooLong: it took more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    inside = True

    def end(number: int, frame: FrameType | None) -> None:
        if inside:
            raise TooLong

    before = signal.signal(signal.SIGVTALRM, end)
    # and again after as long: Python drops what is raised in a __del__ or in a callback of its garbage collector
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        inside = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
