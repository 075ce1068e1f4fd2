"""A row of a question file, as every reader gives it: its fields and its place, or why it could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class RowError(ValueError):
    """One row is malformed; the message says what was found and what was expected, without the place."""


@dataclass(frozen=True)
class Row:
    """One readable row. ``line`` is the line of the file, or the row number where lines say nothing.

    ``path`` is empty where Python gave the row.
    """

    path: str
    line: int
    fields: dict[str, Any]

    @property
    def where(self) -> str:
        return _place(self.path, self.line)


@dataclass(frozen=True)
class BadRow:
    """One row that could not be read, and why."""

    path: str
    line: int
    reason: str

    @property
    def where(self) -> str:
        return _place(self.path, self.line)


def _place(path: str, line: int) -> str:
    """``file:line``; of rows that no file holds, the number."""
    return f"{path}:{line}" if path else f"row {line}"


def show(value: object, width: int = 60) -> str:
    """A value for a message: quoted, control characters escaped, shortened to ``width`` characters."""
    text = repr(value if not isinstance(value, str) else value[: width + 1])
    return text if len(text) <= width else f"{text[: width - 1]}…"


def json_type(value: object) -> str:
    """The name of a JSON value's type, for messages."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a truth value", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), f"a value of type {type(value).__name__}")
