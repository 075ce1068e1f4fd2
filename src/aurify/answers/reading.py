"""What every reader of answers shares: the error for an answer that cannot be read, and safe showing of one."""

from __future__ import annotations

from aurify.text import printable

MAX_ANSWER = 4000
"""The longest answer that is looked at, in characters; longer ones are unparsable. MATH's longest gold has 159."""


class Unreadable(ValueError):
    """An answer that cannot be read; the message is the reason of the ``unparsable`` verdict that it becomes."""


def refuse_long(answer: str) -> None:
    """Refuse an answer of more than ``MAX_ANSWER`` characters.

    Raises:
        Unreadable: it is one.
    """
    if len(answer) > MAX_ANSWER:
        raise Unreadable(f"longer than {MAX_ANSWER} characters")


def well_formed(text: str) -> str:
    """The text without what UTF-8, Parquet and C libraries cannot hold: lone surrogates and NUL become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def shown(text: str) -> str:
    """The text in quotes, on one line of at most 60 characters, safe to print."""
    return f"'{printable(text[:240], 60)}'"
