"""The process that runs the program, and then answers calls of its functions until nobody asks any more."""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

from aurify.sandbox.isolation import isolate
from aurify.sandbox.wire import Ended, TooLarge, decode_value, encode_value, receive, send


def main() -> None:
    """Read what to run from standard input, isolate, run it, serve."""
    config = json.loads(sys.stdin.buffer.read())
    calls = socket.socket(fileno=config["socket"])
    isolate(config["folder"], memory_mb=config["memory_mb"], seconds=config["seconds"], parent=config["parent"])
    space: dict[str, Any] = {"__name__": "__program__", "__builtins__": __builtins__}
    try:
        for part in config["parts"]:
            exec(compile(part, "<program>", "exec", dont_inherit=True), space)
    except BaseException as error:  # whatever it raises, SystemExit too, is a fact about the program
        send(calls, {"failed": [type(error).__name__, _message(error)]})
        return
    _serve(calls, space)


def _serve(calls: socket.socket, space: dict[str, Any]) -> None:
    kept: list[Any] = []

    def keep(value: Any) -> dict[str, int]:
        kept.append(value)
        return {"handle": len(kept) - 1}

    send(calls, {"names": [name for name in space if not name.startswith("__")]})
    while True:
        try:
            asked = receive(calls)
        except Ended:
            return
        try:
            reply = _answer(asked, space, kept, keep)
            send(calls, reply)
        except TooLarge:
            send(calls, {"raised": ["TooLarge", ""]})
        except BaseException as error:
            send(calls, {"raised": [type(error).__name__, _message(error)]})


def _answer(asked: dict[str, Any], space: dict[str, Any], kept: list[Any], keep: Any) -> dict[str, Any]:
    target = space[asked["name"]] if "name" in asked else kept[asked["handle"]]
    if "set" in asked:
        setattr(target, asked["set"], decode_value(asked["value"], kept.__getitem__))
        return {"result": None}
    if "get" in asked:
        return {"result": encode_value(getattr(target, asked["get"]), keep)}
    if "call" not in asked:
        return {"result": encode_value(target, keep)}
    args, kwargs = (decode_value(asked["call"][part], kept.__getitem__) for part in ("args", "kwargs"))
    result = target(*args, **kwargs)
    return {"result": encode_value(result, keep), "args": encode_value(args, keep)}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except BaseException:
        return ""
