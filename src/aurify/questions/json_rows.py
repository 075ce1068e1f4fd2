"""Rows of JSON Lines and of JSON documents (an array, an object that holds one, or a single row)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from aurify.questions.rows import BadRow, Row, RowError, json_type

CONTAINERS = ("examples", "data", "rows", "questions", "instances")
"""Keys under which a JSON document may hold its rows; BIG-Bench Hard says ``examples``."""

BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")


def json_lines(lines: Iterable[bytes], path: str) -> Iterator[Row | BadRow]:
    """One JSON object a line, read line by line; blank lines, a leading BOM and CRLF are harmless."""
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix(BOM) if number == 1 else raw
        if not line.strip():
            continue
        try:
            yield Row(path, number, _fields(_whole(_text(line.rstrip(b"\r\n")))))
        except RowError as error:
            yield BadRow(path, number, str(error))


def json_document(data: bytes, path: str) -> Iterator[Row | BadRow]:
    """The rows of a whole JSON document; one that is not valid JSON gives a single bad row, at its line.

    A row's place is its line where every row starts on a line of its own, else its number in the document.
    """
    data = data.removeprefix(BOM)
    try:
        text = _text(data)
        _whole(text, allow_nan=True)
        starts = _row_starts(text)
    except RowError as error:
        yield BadRow(path, _line_of(error, data), str(error))
        return
    lines = _line_numbers(text, starts)
    for number, start in enumerate(starts, start=1):
        line = lines[number - 1] if len(set(lines)) == len(lines) else number
        try:
            yield Row(path, line, _fields(_value_at(text, start)[0]))
        except RowError as error:
            yield BadRow(path, line, str(error))


def is_json_lines(first_line: bytes) -> bool:
    """Whether a ``.json`` file is JSON Lines in truth: its first line alone is a row, not a container of rows."""
    try:
        value = _whole(_text(first_line.removeprefix(BOM)), allow_nan=True)
    except RowError:
        return False
    return isinstance(value, dict) and not any(isinstance(value.get(key), list) for key in CONTAINERS)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = " (it looks like UTF-16)" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"expected UTF-8, found the byte 0x{data[error.start]:02x} in column {column}{hint}"
        raise RowError(f"{message}: save the file as UTF-8") from error


def _whole(text: str, *, allow_nan: bool = False) -> Any:
    """The one JSON value that ``text`` holds."""
    value, end = _value_at(text, _skip(text, 0), allow_nan=allow_nan)
    if _skip(text, end) < len(text):
        error = json.JSONDecodeError("more text after the JSON value", text, end)
        raise RowError(f"not valid JSON: {error.msg} (column {error.colno})") from error
    return value


def _value_at(text: str, start: int, *, allow_nan: bool = False) -> tuple[Any, int]:
    """The JSON value that starts at ``start``, and where it ends."""
    constants: list[str] = []
    try:
        value, end = json.JSONDecoder(parse_constant=constants.append).raw_decode(text, start)
    except json.JSONDecodeError as error:
        message = f"{error.msg[0].lower()}{error.msg[1:]}".removesuffix(" at").removesuffix(" starting")
        raise RowError(f"not valid JSON: {message} (column {error.colno})") from error
    except RecursionError:
        raise RowError("nested too deeply: expected an object with a question and an answer") from None
    except ValueError:
        raise RowError("holds an integer of more digits than can be read") from None
    if constants and not allow_nan:
        raise RowError(f"{constants[0]} is not valid JSON: expected a finite number or null")
    return value, end


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a row; a list of turns is a conversation, as Open-Reasoner-Zero writes its rows."""
    if isinstance(value, list) and value and all(map(_is_turn, value)):
        return {"conversations": value}
    if not isinstance(value, dict):
        raise RowError(f"expected a JSON object with a question and an answer, found {json_type(value)}")
    return value


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and bool({"from", "role"} & value.keys())


def _row_starts(text: str) -> list[int]:
    """Where each row of a valid document starts."""
    start = _skip(text, 0)
    if text[start] == "[":
        return _element_starts(text, start)
    if text[start] != "{":
        raise RowError("expected a JSON array of rows, or an object with 'examples', found one plain value")
    position = _skip(text, start + 1)
    while text[position] == '"':
        key, position = _value_at(text, position)
        position = _skip(text, _skip(text, position) + 1)  # over the colon
        if key in CONTAINERS and text[position] == "[":
            return _element_starts(text, position)
        position = _skip(text, _value_at(text, position, allow_nan=True)[1])
        position = _skip(text, position + 1) if text[position] == "," else position
    return [start]


def _element_starts(text: str, bracket: int) -> list[int]:
    starts = []
    position = _skip(text, bracket + 1)
    while text[position] != "]":
        starts.append(position)
        position = _skip(text, _value_at(text, position, allow_nan=True)[1])
        position = _skip(text, position + 1) if text[position] == "," else position
    return starts


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _line_of(error: RowError, data: bytes) -> int:
    """The line of a document's error, from the exception that it came from."""
    cause = error.__cause__
    if isinstance(cause, json.JSONDecodeError):
        return cause.lineno
    return data[: cause.start].count(b"\n") + 1 if isinstance(cause, UnicodeDecodeError) else 1


def _line_numbers(text: str, positions: list[int]) -> list[int]:
    lines, line, last = [], 1, 0
    for position in positions:
        line += text.count("\n", last, position)
        last = position
        lines.append(line)
    return lines
