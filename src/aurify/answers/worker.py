"""The process in which hostile answers are parsed: it may hang, swell or crash, and is then killed.

It reads one JSON object a line and answers each with one. It ends when its standard input does, when its parent dies,
and when it outruns its own limits of memory and CPU time (the parent keeps the wall clock).
``math-verify``'s own timeout is a signal that only works on a main thread, so it is switched off.
"""

from __future__ import annotations

import json
import logging
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

Message = dict[str, Any]


def main() -> None:
    """Import what is costly once, then fork a process that answers, and another whenever that one is gone.

    So a kill costs milliseconds and not the import of a computer algebra system. SIGUSR1 kills the one that answers.
    ``sys.argv[1]`` is a JSON object: timeout (seconds), memory_mb, parent (its process id), preload (what to import).
    """
    config = json.loads(sys.argv[1])
    _die_with(config["parent"])
    _limit_memory(config["memory_mb"])
    logging.disable(logging.CRITICAL)
    replies = _private_stdout()
    try:
        _load({"what": config["preload"]})
    except Exception as error:
        _reply(replies, {"verdict": "failed", "reason": f"{type(error).__name__}: {error}"})
        return
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, _EVENTS)
    own = os.getpid()
    ended = ""
    while ended != "exit":
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _EVENTS)
            _die_with(own)
            _serve(replies, config, ended)
            os._exit(0)
        while not (ended := _ended(child)):
            if signal.sigwait(_EVENTS) == signal.SIGUSR1:
                os.kill(child, signal.SIGKILL)  # not yet waited for, so the id is still its own


_EVENTS = (signal.SIGUSR1, signal.SIGCHLD)


def _ended(child: int) -> str:
    """How the child ended: "exit" with its standard input, "killed", "crashed", or "" where it lives."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        return ""
    code = os.waitstatus_to_exitcode(status)
    return {0: "exit", -signal.SIGKILL: "killed"}.get(code, "crashed")


def _serve(replies: TextIO, config: Message, before: str) -> None:
    """Answer requests until standard input ends; the first line says that it is ready, who, and how the last ended.

    It begins with a line break, as a killed process may have left half a line in either pipe.
    """
    handlers: dict[str, Callable[[Message], Message]] = {
        "load": _load,
        "math": _math,
        "custom": _own,
        "reward": _own,
        "code": _code,
    }
    replies.write("\n")
    _reply(replies, {"verdict": "ready", "reason": before, "pid": os.getpid()})
    for line in sys.stdin:
        request = _request(line)
        if request is None:
            continue
        _limit_cpu(request["timeout"] if "timeout" in request else config["timeout"])
        try:
            reply = handlers[request["op"]](request)
        except MemoryError:
            reply = {"verdict": "memory", "reason": f"needs more than {config['memory_mb']} MB"}
        except RecursionError:
            reply = {"verdict": "unparsable", "reason": "nested too deeply"}
        except Exception as error:  # whatever a parser or a user's function raises is a fact about this answer
            reply = {"verdict": "unparsable", "reason": f"{type(error).__name__} while comparing"}
        _reply(replies, {**reply, "number": request["number"]})


def _request(line: str) -> Message | None:
    """A whole request; None for what is left of one that a killed process had begun to read."""
    try:
        request = json.loads(line)
    except ValueError:
        return None
    return request if isinstance(request, dict) and {"op", "number"} <= request.keys() else None


def _reply(replies: TextIO, reply: Message) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


def _load(request: Message) -> Message:
    """Import what the later requests need, outside of any answer's time."""
    if request["what"] == "math":
        from aurify.answers.math.compare import compare_latex

        compare_latex("\\frac{x}{2}+1", "\\frac{x+2}{2}")  # fills the parser's tables
    elif request["what"] == "code":
        from aurify.sandbox import trial  # noqa: F401  # what the first program would wait for
    elif request["what"]:
        from aurify.answers.custom import load_custom

        load_custom(request["what"])
    return {"verdict": "loaded", "reason": ""}


def _math(request: Message) -> Message:
    from aurify.answers.math.compare import compare_latex

    verdict, reason = compare_latex(request["pred"], request["gold"])
    return {"verdict": verdict, "reason": reason}


def _own(request: Message) -> Message:
    from aurify.answers.calls import called
    from aurify.answers.pool import Job

    found = called(Job(request["op"], request["pred"], request["gold"], request["spec"]))
    return {"verdict": found.word, "reason": found.reason, "score": found.score}


def _code(request: Message) -> Message:
    from aurify.sandbox.trial import Exam, end_orphans, examine

    given = json.loads(request["gold"])
    before, setup, tests, call = given["exam"]
    exam = Exam(tuple(before), tuple(setup), tuple(tests), call)
    try:
        verdict, reason = examine(request["pred"], exam, seconds=given["seconds"], memory_mb=given["memory_mb"])
    finally:
        end_orphans()
    return {"verdict": verdict, "reason": reason}


def _private_stdout() -> TextIO:
    """The reply channel, out of reach of whatever prints: standard output and error go nowhere."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return channel


def _limit_memory(memory_mb: int) -> None:
    _bound(resource.RLIMIT_AS, memory_mb * 2**20)
    _bound(resource.RLIMIT_CORE, 0)


def _limit_cpu(timeout: float) -> None:
    """For a parent that cannot keep the clock: processor time for this request, with some seconds of grace."""
    _bound(resource.RLIMIT_CPU, math.ceil(time.process_time() + timeout) + 10)


def _bound(kind: int, soft: int) -> None:
    hard = resource.getrlimit(kind)[1]
    with suppress(OSError, ValueError):  # macOS bounds no memory; time still ends what takes too much
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _die_with(parent: int) -> None:
    """On Linux, be killed when the parent dies, even amid a computation."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
