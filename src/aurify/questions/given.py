"""What Python gives where the command line has a name: names, questions, or rows as a file would hold them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from aurify.errors import UsageError
from aurify.questions.record import Question
from aurify.questions.rows import BadRow, Row, show

GIVEN_IN_PYTHON = "(questions given in Python)"
"""What stands for the name of a file where there is none: in messages, and in the config.toml of a run."""


class Frame(Protocol):
    """A ``pandas.DataFrame``, a ``polars.DataFrame`` or a ``pyarrow.Table``: what has columns."""

    @property
    def columns(self) -> Any:
        """The names, or the columns."""


Name = str | os.PathLike[str]
"""A file, a folder, or ``hf:NAME[:CONFIG[:SPLIT]]``."""
RowsInPython = Iterable[Mapping[str, Any]] | Frame
"""Rows with the fields that a file would have: a list or generator of dicts, a frame, a ``datasets.Dataset``."""
DataInPython = Name | Iterable[Name] | Iterable[Question] | RowsInPython

_EXPECTED = "expected the name of a file or data set, questions, or rows (dicts, a DataFrame, a Dataset)"
_DICTS = ("to_dicts", "to_pylist")
"""What gives one dict a row: of polars and of pyarrow."""
_ABSENT = ("NAType", "NaTType")
"""What pandas has where a value is missing, besides NaN."""


def all_given(given: DataInPython, what: str = "data") -> list[Any]:
    """The names, questions or rows that are given, each once; which of these, the first tells.

    Raises:
        UsageError: it is none of them.
    """
    if isinstance(given, str | os.PathLike):
        return [given]
    given = _rows_of_frame(given)
    found = list(_records(given, what) if _is_frame(given) else _each(given, what))
    if not (are_rows(found) or are_questions(found)):
        for one in found:
            if not isinstance(one, str | os.PathLike):
                raise UsageError(f"{what}: holds {_a(one)}: {_EXPECTED}")
    return found


def are_rows(found: Sequence[Any]) -> bool:
    """Whether what is given are rows."""
    return bool(found) and isinstance(found[0], Mapping)


def are_questions(found: Sequence[Any]) -> bool:
    """Whether what is given are questions; so is nothing at all."""
    return not found or isinstance(found[0], Question)


def rows_of(found: Iterable[Any]) -> Iterator[Row | BadRow]:
    """The rows, with the values that a file would hold; a row's place is its number."""
    for number, row in enumerate(found, start=1):
        if not isinstance(row, Mapping):
            yield BadRow("", number, f"expected a dict with a question and an answer, found {_a(row)}")
            continue
        try:
            yield Row("", number, _plain(row))
        except RecursionError:
            yield BadRow("", number, "nested too deeply: expected a dict with a question and an answer")


def _rows_of_frame(given: Any) -> Any:
    """The rows of a frame that can tell them; else what was given."""
    ways = [getattr(given, name, None) for name in _DICTS] if hasattr(given, "columns") else []
    return next((way() for way in ways if callable(way)), given)


def _is_frame(given: Any) -> bool:
    return all(hasattr(given, name) for name in ("columns", "to_dict", "iloc"))


def _records(frame: Any, what: str) -> Iterator[dict[Any, Any]]:
    """A frame's rows; what is missing is None, as it is in a file that pandas writes."""
    names = list(frame.columns)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{what}: the column {show(twice)} occurs twice: expected different names")
    for row in frame.to_dict("records"):
        yield {name: None if _is_absent(value) else value for name, value in row.items()}


def _is_absent(value: Any) -> bool:
    return (isinstance(value, float) and value != value) or type(value).__name__ in _ABSENT


def _each(given: Any, what: str) -> Iterator[Any]:
    if isinstance(given, Mapping):
        names = ", ".join(show(name, 30) for name in list(given)[:4]) or "nothing"
        name = type(given).__name__
        raise UsageError(f"{what}: found one {name} of {names}: expected rows, as a list of dicts, or one of its parts")
    if isinstance(given, bytes | bytearray) or hasattr(given, "readline"):
        raise UsageError(f"{what}: found {_a(given)}: {_EXPECTED}")
    try:
        return iter(given)
    except TypeError:
        raise UsageError(f"{what}: found {_a(given)}: {_EXPECTED}") from None


def _plain(value: Any) -> Any:
    """The value without NumPy's and torch's types, and with lists for tuples."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if not isinstance(value, type) and callable(tolist := getattr(value, "tolist", None)):
        return _plain(tolist())
    return value


def _a(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
