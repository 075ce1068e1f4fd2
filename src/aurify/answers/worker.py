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
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

Reply = dict[str, Any]


def main() -> None:
    """Serve requests until standard input ends. ``sys.argv[1]`` is a JSON object: timeout, memory_mb, parent."""
    config = json.loads(sys.argv[1])
    _die_with(config["parent"])
    limit_cpu = _limits(config["memory_mb"], config["timeout"])
    logging.disable(logging.CRITICAL)
    replies = _private_stdout()
    handlers: dict[str, Callable[[Reply], Reply]] = {"load": _load, "math": _math, "custom": _custom}
    for line in sys.stdin:
        request = json.loads(line)
        limit_cpu()
        try:
            reply = handlers[request["op"]](request)
        except MemoryError:
            reply = {"verdict": "memory", "reason": f"needs more than {config['memory_mb']} MB"}
        except RecursionError:
            reply = {"verdict": "unparsable", "reason": "nested too deeply"}
        except Exception as error:  # whatever a parser or a user's function raises is a fact about this answer
            reply = {"verdict": "unparsable", "reason": f"{type(error).__name__} while comparing"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _load(request: Reply) -> Reply:
    """Import what the later requests need, outside of any answer's time."""
    if request["what"] == "math":
        from aurify.answers import latex_compare  # noqa: F401
    return {"verdict": "ready", "reason": ""}


def _math(request: Reply) -> Reply:
    from aurify.answers.latex_compare import compare_latex

    verdict, reason = compare_latex(request["pred"], request["gold"])
    return {"verdict": verdict, "reason": reason}


def _custom(request: Reply) -> Reply:
    from aurify.answers.custom import load_custom

    try:
        outcome = load_custom(request["spec"])(request["pred"], request["gold"])
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        return {"verdict": "unparsable", "reason": f"{request['spec']} raised {type(error).__name__}: {error}"[:300]}
    right, reason = outcome if isinstance(outcome, tuple) and len(outcome) == 2 else (outcome, "")
    if not isinstance(right, bool):
        return {"verdict": "unparsable", "reason": f"{request['spec']} returned a {type(right).__name__}, not a bool"}
    verdict = "right" if right else "wrong"
    return {"verdict": verdict, "reason": str(reason)[:300] or f"{request['spec']} says {verdict}"}


def _private_stdout() -> TextIO:
    """The reply channel, out of reach of whatever prints: standard output and error go nowhere."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return channel


def _limits(memory_mb: int, timeout: float) -> Callable[[], None]:
    """Bound the memory now; the function returned bounds the CPU time of the next request."""
    try:
        import resource
    except ImportError:
        return lambda: None

    def bound(kind: int, soft: int) -> None:
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))

    bound(resource.RLIMIT_AS, memory_mb * 2**20)
    bound(resource.RLIMIT_CORE, 0)
    grace = math.ceil(timeout) + 60  # seconds; for a parent that cannot keep the clock

    return lambda: bound(resource.RLIMIT_CPU, math.ceil(time.process_time()) + grace)


def _die_with(parent: int) -> None:
    """On Linux, be killed when the parent dies, even amid a computation."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
