"""The signals that ask a process to stop, and how they wait until what must not be left half done is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def stop_signals() -> set[signal.Signals]:
    """Ctrl-C, SIGTERM, and SIGHUP, by which a terminal says that it goes; not where it is ignored (``nohup``)."""
    hangup = set() if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else {signal.SIGHUP}
    return {signal.SIGINT, signal.SIGTERM, *hangup}


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes inside is delivered as the block is left, so what the block assigns is there by then.

    Only the main thread is told of signals, and so only it can wait with them; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in stop_signals()}
    ours = {number: handler for number, handler in before.items() if handler is not None}  # None: not Python's to set
    for number in ours:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for signum in came:
            signal.raise_signal(signum)
