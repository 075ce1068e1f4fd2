"""Ctrl-C, SIGTERM and SIGHUP as a wish to stop, at once where nothing is lost by it; a second Ctrl-C saves nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

from aurify.held_back import stop_signals
from aurify.pulse import Sign, heard_by

Params = ParamSpec("Params")
Result = TypeVar("Result")


class Interrupted(Exception):
    """A wish to stop came where work may be broken off: weights and state are those of the last step, or saved."""


class StopRequest:
    """While it is entered, ``stop_signals`` set ``asked`` instead of ending the process.

    Args:
        alone: whether this is the only process of the run.
        spread: has the others asked, too.
        anywhere: whether any process was asked; all call it together.
    """

    def __init__(
        self,
        *,
        alone: bool = True,
        spread: Callable[[], None] = lambda: None,
        anywhere: Callable[[], bool] | None = None,
    ) -> None:
        self.asked = False
        self._alone, self._spread, self._breakable = alone, spread, False
        self._anywhere = anywhere or (lambda: self.asked)
        self._before: dict[int, Any] = {}

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """What happens inside may be broken off by a wish to stop: it changes nothing that is saved.

        Not where there are other processes, which would wait for this one: see :meth:`breaking`.

        Raises:
            Interrupted: the wish came, inside or before.
        """
        with self._armed(self._alone):
            yield

    def protect(self) -> None:
        """From here on there is something to save: of what is breakable now only what is so by itself stays so."""
        self._breakable = False

    def breaking(self, work: Callable[Params, Result], *, in_step: bool = False) -> Callable[Params, Result]:
        """``work`` that may be broken off.

        For ``World.map`` and ``World.together``, by which all processes learn that one of them has raised Interrupted.

        Args:
            in_step: each pass of the model is one of all processes, so it is broken off between two, in all of them.
                Else this process must wait for no other one in its time.
        """

        def broken(*args: Params.args, **more: Params.kwargs) -> Result:
            with heard_by(self._before_pass) if in_step else self._armed(True):
                return work(*args, **more)

        return broken

    def _before_pass(self, sign: Sign) -> None:
        if sign == "pass" and self._anywhere():
            raise Interrupted

    @contextmanager
    def _armed(self, allowed: bool) -> Iterator[None]:
        before, self._breakable = self._breakable, allowed
        try:
            if self._breakable and self.asked:
                raise Interrupted
            yield
        finally:
            self._breakable = before and self._breakable

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            for number in stop_signals():
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
            with suppress(OSError):  # the terminal may be gone, and that may be why
                os.write(2, b"\naurify: stopping and saving; Ctrl-C again leaves at once\n")
            self._spread()
        self.asked = True
        if self._breakable:
            self._breakable = False
            raise Interrupted
