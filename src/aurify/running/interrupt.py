"""Ctrl-C and SIGTERM as a wish to stop, at once where nothing has changed yet; a second Ctrl-C saves nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Interrupted(Exception):
    """A wish to stop came where work may be broken off: the weights and the state are still those of the last step."""


class StopRequest:
    """While it is entered, SIGINT and SIGTERM set ``asked`` instead of ending the process.

    Args:
        alone: whether this is the only process of the run. Others would wait for one that breaks off, so that several
            stop together, between two steps.
    """

    def __init__(self, *, alone: bool = True) -> None:
        self.asked = False
        self._alone, self._breakable = alone, False
        self._before: dict[int, Any] = {}

    @contextmanager
    def breakable(self, allowed: bool = True) -> Iterator[None]:
        """What happens inside may be broken off by a wish to stop, if ``allowed``: it changes nothing that is saved.

        Raises:
            Interrupted: the wish came, inside or before.
        """
        self._breakable = allowed and self._alone
        try:
            if self._breakable and self.asked:
                raise Interrupted
            yield
        finally:
            self._breakable = False

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.asked:
            os.write(2, b"\naurify: stopping and saving; Ctrl-C again leaves at once\n")
        self.asked = True
        if self._breakable:
            self._breakable = False
            raise Interrupted
