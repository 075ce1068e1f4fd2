"""Standard streams as a cluster leaves them: closed, full, or with nobody at their other end."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

STANDARD_OUTPUT = "standard output"
"""What an error of standard output names as its file."""


def settle_streams() -> None:
    """Make the three standard streams fit for work that takes hours.

    One that was closed when the process began reads or writes nothing: its descriptor is taken, or the next file that
    is opened would have it, with all that libraries print. What standard error cannot take any more is dropped, since
    it only tells how the work goes. Standard output is what was asked for, so that its errors stay, with its name.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(_nothing(number), mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # stays
    sys.stdout = _over(sys.stdout, _Named)
    sys.stderr = _over(sys.stderr, _Forgiving)


def drop_output() -> None:
    """Have what standard output could not take dropped, or it would be tried, and complained of, once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Named(io.FileIO):
    """Standard output, whose errors say that they are its own."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError as error:
            error.filename = STANDARD_OUTPUT
            raise


class _Forgiving(io.FileIO):
    """Standard error, which drops what it cannot write: a terminal, a pipe's reader or a disk's room may be gone."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(content)


def _over(stream: Any, kind: type[io.FileIO]) -> Any:
    """The stream with another file below it; as it is where it is none of a process, as in tests."""
    try:
        number = stream.fileno()
    except (AttributeError, OSError):
        return stream
    stream.flush()
    buffer = io.BufferedWriter(kind(number, "w", closefd=False))
    return io.TextIOWrapper(
        buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=stream.line_buffering
    )


def _nothing(number: int) -> int:
    """A descriptor that stands for nothing: this one, unless something has it already."""
    opened = os.open(os.devnull, os.O_RDWR)
    try:
        os.fstat(number)
    except OSError:
        os.dup2(opened, number)
        os.close(opened)
        return number
    return opened
