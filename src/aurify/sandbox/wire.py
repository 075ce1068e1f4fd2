"""Plain data between the two processes: JSON with tags, in messages of bounded length. Nothing here runs what it reads.

What is no plain data stays where it is, and a number stands for it (``Handle``).
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any

MOST = 8 * 2**20
"""Bytes of one message."""
MOST_ITEMS = 100_000
"""Items that are taken of an iterator."""


class TooLarge(Exception):
    """A message is longer than allowed."""


class Ended(Exception):
    """The other side is gone, or says what is no message."""


def send(to: socket.socket, message: object) -> None:
    """One message.

    Raises:
        TooLarge: it is longer than ``MOST``; nothing was sent.
    """
    data = json.dumps(message).encode("ascii")
    if len(data) > MOST:
        raise TooLarge
    to.sendall(len(data).to_bytes(4, "big") + data)


def receive(source: socket.socket) -> dict[str, Any]:
    """The next message.

    Raises:
        TooLarge, Ended: see there.
    """
    size = int.from_bytes(_exactly(source, 4), "big")
    if size > MOST:
        raise TooLarge
    try:
        message = json.loads(_exactly(source, size))
    except (ValueError, RecursionError):
        raise Ended from None
    if not isinstance(message, dict):
        raise Ended
    return message


def _exactly(source: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        try:
            part = source.recv(min(size, 2**16))
        except OSError:
            raise Ended from None
        if not part:
            raise Ended
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def encode_value(value: Any, keep: Callable[[Any], Any]) -> Any:
    """A value as JSON; ``keep`` gives what stands for a value that is no plain data."""

    def inner(one: Any) -> Any:
        if one is None or isinstance(one, bool):
            return one
        if isinstance(one, str):
            return str.__str__(one)
        if isinstance(one, int):
            return {"int": format(int(one), "x")}
        if isinstance(one, float):
            return {"float": float.hex(one)}
        if isinstance(one, complex):
            return {"complex": [float.hex(one.real), float.hex(one.imag)]}
        if isinstance(one, (bytes, bytearray)):
            return {"bytes": bytes(one).hex()}
        if isinstance(one, (Decimal, Fraction)):
            return {type(one).__name__: str(one)}
        if isinstance(one, range):
            return {"range": [inner(part) for part in (one.start, one.stop, one.step)]}
        for kind in (list, tuple, frozenset, set, deque):
            if isinstance(one, kind):
                return {kind.__name__: [inner(item) for item in one]}
        if isinstance(one, dict):
            return {"dict": [[inner(key), inner(item)] for key, item in one.items()]}
        if isinstance(one, (Iterator, Mapping, Set)) or type(one).__name__ in ("dict_values",):
            return {"iterator": [inner(item) for item in islice(iter(one), MOST_ITEMS)]}
        if type(one).__module__ == "numpy" and hasattr(one, "item") and getattr(one, "ndim", 1) == 0:
            return inner(one.item())
        return keep(one)

    return inner(value)


_MADE: dict[str, Callable[[Any], Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque, "iterator": iter,
}  # fmt: skip
_READ: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float.fromhex,
    "complex": lambda parts: complex(*map(float.fromhex, parts)),
    "bytes": bytes.fromhex,
    "Decimal": Decimal,
    "Fraction": Fraction,
}


def decode_value(value: Any, kept: Callable[[Any], Any]) -> Any:
    """The value again; ``kept`` gives what a number stood for.

    Raises:
        Ended: it is nothing that ``encode_value`` gives.
    """

    def inner(one: Any) -> Any:
        if one is None or isinstance(one, (bool, str)):
            return one
        if not isinstance(one, dict) or len(one) != 1:
            raise Ended
        ((tag, content),) = one.items()
        if tag in _READ:
            return _READ[tag](content)
        if tag in _MADE and isinstance(content, list):
            return _MADE[tag]([inner(item) for item in content])
        if tag == "range":
            return range(*map(inner, content))
        if tag == "dict":
            return {inner(key): inner(item) for key, item in content}
        if tag == "handle":
            return kept(content)
        raise Ended

    try:
        return inner(value)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise Ended from None


def replace_in_place(old: Any, new: Any) -> None:
    """Give a list, dictionary or set that was handed over the content that the other side left in it."""
    if isinstance(old, list) and isinstance(new, Sequence):
        old[:] = new
    elif isinstance(old, (dict, set)) and type(old) is type(new):
        old.clear()
        old.update(new)
