"""Errors that a user can cause, each one clear line: what, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from aurify.text import printable


class AurifyError(Exception):
    """The work failed. The command line prints the message and exits with status 1.

    A message may quote files, models and servers, so it is made one line that a terminal shows and does not obey.
    """

    exit_status = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class UsageError(AurifyError):
    """The request itself is wrong: an unknown key, a missing file name. Exit status 2."""

    exit_status = 2


def nearest(word: str, known: Iterable[str]) -> str:
    """The ending of a message about an unknown word: which known one was probably meant."""
    known = list(known)
    close = close_to(word, known)
    return f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"


def close_to(word: str, known: Iterable[str], *, cutoff: float = 0.5) -> str:
    """The known word that is most like this one; empty where none is.

    Args:
        cutoff: the least likeness, from 0 to 1, as difflib measures it.
    """
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)), "")


def out_of_memory(error: BaseException) -> bool:
    """Whether this is what Python, or torch on whatever device, raises where there is no memory for more."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and ("allocate memory" in said or "out of memory" in said)
