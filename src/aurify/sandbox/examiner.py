"""The process that runs the tests. The program's names are stubs in it: what they give is plain data, or a handle."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import os
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from aurify.sandbox.isolation import isolate
from aurify.sandbox.wire import Ended, TooLarge, decode_value, encode_value, receive, replace_in_place, send


class Gone(BaseException):
    """The program's process ended, or answered what is no answer; no test may take this for an exception of its own."""


class OutputTooLarge(BaseException):
    """A result is larger than a message may be."""


class Calls:
    """The line to the candidate."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.n = line, 0

    def ask(self, **asked: Any) -> dict[str, Any]:
        """One question, one answer; an exception of the program is raised here, as the built-in one of its name."""
        self.n += 1
        try:
            send(self.line, asked)
            reply = receive(self.line)
        except TooLarge:
            raise OutputTooLarge from None
        except (Ended, OSError):
            raise Gone from None
        if "raised" in reply:
            name, message = reply["raised"]
            if name == "TooLarge":
                raise OutputTooLarge
            kind = getattr(builtins, str(name), None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                raise _made(kind, str(message))
            raise RuntimeError(f"{name}: {message}")
        if "result" not in reply:
            raise Gone
        return reply

    def value(self, encoded: Any) -> Any:
        """What an answer holds."""
        try:
            return decode_value(encoded, lambda handle: Handle(self, handle=int(handle)))
        except Ended:
            raise Gone from None


def _made(kind: type[Exception], message: str) -> Exception:
    try:
        return kind(message)
    except TypeError:  # UnicodeDecodeError and its like want more
        return RuntimeError(f"{kind.__name__}: {message}")


class Handle:
    """Something of the program's that is no plain data: a function, a class, an object."""

    def __init__(self, calls: Calls, **where: Any) -> None:
        object.__setattr__(self, "_calls", calls)
        object.__setattr__(self, "_where", where)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        calls = self._calls
        sent = {"args": encode_value(list(args), _handle), "kwargs": encode_value(kwargs, _handle)}
        reply = calls.ask(**self._where, call=sent)
        after = calls.value(reply.get("args"))
        if isinstance(after, list) and len(after) == len(args):
            for old, new in zip(args, after, strict=True):
                replace_in_place(old, new)
        return calls.value(reply["result"])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._calls.value(self._calls.ask(**self._where, get=name)["result"])

    def __setattr__(self, name: str, value: Any) -> None:
        self._calls.ask(**self._where, set=name, value=encode_value(value, _handle))


def _handle(value: Any) -> dict[str, Any]:
    where = value.__dict__.get("_where", {}) if isinstance(value, Handle) else {}
    if "handle" not in where:
        raise TypeError(f"a {type(value).__name__} cannot be handed to the program")
    return {"handle": where["handle"]}


def main() -> None:
    """Read the tests from standard input, isolate, run them, and say what came of it."""
    config = json.loads(sys.stdin.buffer.read())
    line = socket.socket(fileno=config["socket"])
    said = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    isolate(config["folder"], memory_mb=config["memory_mb"], seconds=config["seconds"], parent=config["parent"])
    verdict, reason = _examined(config["setup"], config["tests"], config["call"], Calls(line))
    said.write(json.dumps({"verdict": verdict, "reason": reason}) + "\n")
    said.flush()


def _examined(setup: Sequence[str], tests: Sequence[str], call: str, calls: Calls) -> tuple[str, str]:
    try:
        loaded = receive(calls.line)
    except (Ended, TooLarge):
        return "wrong", "the program ended before it was loaded"
    if "failed" in loaded:
        return _failed(*loaded["failed"])
    space: dict[str, Any] = {"__name__": "__tests__"}
    names = loaded.get("names")
    if call and (not isinstance(names, list) or call not in names):
        return "wrong", f"the program does not define '{call}'"
    _provide(space, set(names) if isinstance(names, list) else set(), [*setup, *tests], call, calls)
    stub = space.get(call)
    parts = [*setup, *tests]
    for number, part in enumerate(parts, 1 - len(setup)):
        if call and number == 1:
            space[call] = stub  # what the program was to complete has stood in the setup
        where = f"test {number} of {len(tests)}" if number > 0 else "the tests' own code"
        found = _run(part, space, call if part is parts[-1] else "", where)
        if found is not None:
            return found
    if not calls.n:
        return "unparsable", "the tests never call the program"
    return "right", f"passes its {'tests' if call or len(tests) > 1 else 'test'}"


def _run(part: str, space: dict[str, Any], call: str, where: str) -> tuple[str, str] | None:
    """None where the test passes."""
    try:
        exec(compile(part, "<test>", "exec", dont_inherit=True), space)
        if call:
            space["check"](space[call])
    except Gone:
        return "wrong", f"the program ended before {where} did"
    except OutputTooLarge:
        return "wrong", f"a result of more than 8 MiB in {where}"
    except MemoryError:
        return "wrong", f"out of memory in {where}"
    except BaseException as error:
        line = _line(part, error)
        told = "failed" if isinstance(error, AssertionError) else f"raised {type(error).__name__}: {str(error)[:100]}"
        return "wrong", f"{where} {told}{f': {line}' if line else ''}"
    return None


def _line(part: str, error: BaseException) -> str:
    """The line of the test that failed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<test>"]
    lines = part.splitlines()
    number = frames[-1].lineno if frames else None
    return lines[number - 1].strip()[:200] if number and number <= len(lines) else ""


def _provide(space: dict[str, Any], names: set[str], parts: Sequence[str], call: str, calls: Calls) -> None:
    """The program's names that the tests speak of. Built-ins and modules are our own, whatever its functions are."""
    spoken = {node.id for part in parts for node in _nodes(part) if isinstance(node, ast.Name)} | {call}
    for name in sorted(spoken):
        if name in sys.stdlib_module_names and name != call:
            space[name] = importlib.import_module(name)
        elif name in names and (name == call or not hasattr(builtins, name)):
            space[name] = Handle(calls, name=name)


def _nodes(part: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(part)))
    except (SyntaxError, ValueError):
        return []


def _failed(name: object, message: object) -> tuple[str, str]:
    if name in ("SyntaxError", "IndentationError", "TabError"):
        return "unparsable", f"syntax error: {str(message)[:200]}"
    if name == "MemoryError":
        return "wrong", "out of memory while it was loaded"
    if name in ("SystemExit", "KeyboardInterrupt"):
        return "wrong", f"the program ended itself while it was loaded ({name})"
    return "wrong", f"loading it raised {name}: {str(message)[:200]}"
