"""Signs of life: work that takes long gives one a piece, and says where other processes wait for it, or it for them.

What watches this process listens (``running/peers.py``); where nobody does, a sign is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Sign = Literal["moved", "pass", "waits", "works", "in step", "apart"]
"""A piece of work is done; all processes begin a pass of the model together; another process is waited for, and came;
from here on, or no longer, each pass of the model is one of all processes."""

_listeners: list[Callable[[Sign], None]] = []


def give(sign: Sign) -> None:
    """Give a sign."""
    for listener in _listeners:
        listener(sign)


@contextmanager
def waiting() -> Iterator[None]:
    """Within it this process waits for others."""
    give("waits")
    try:
        yield
    finally:
        give("works")


@contextmanager
def heard_by(listener: Callable[[Sign], None]) -> Iterator[None]:
    """Within it a listener hears every sign."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
