"""A call of the user's own function: what it returned, or raised, as a verdict."""

from __future__ import annotations

import asyncio
import json
import math
import reprlib
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from inspect import isawaitable, unwrap
from pathlib import Path
from typing import Any

from aurify.answers.custom import load_custom
from aurify.answers.pool import Job, JobResult
from aurify.answers.reward_forms import Judged, form_of, keywords_for

_LONGEST = 300


def called(job: Job) -> JobResult:
    """The outcome of one call, in this process.

    Raises:
        MemoryError, RecursionError: the function did, or whatever judges its answer.
    """
    function = load_custom(job.spec)
    try:
        return (_rewarded if job.op == "reward" else _compared)(function, job)
    except (MemoryError, RecursionError):
        raise
    except (Exception, SystemExit) as error:
        return _unparsable(f"{job.spec} raised {type(error).__name__}: {error}{_place(function, error)}")


def _compared(function: Callable[..., Any], job: Job) -> JobResult:
    outcome = function(job.pred, job.gold)
    told, reason = outcome if isinstance(outcome, tuple) and len(outcome) == 2 else (outcome, "")
    right = _truth(told)
    if right is None:
        return _unparsable(f"{job.spec} returned {_shown(told)}: expected True or False")
    verdict = "right" if right else "wrong"
    return JobResult(verdict, str(reason)[:_LONGEST] or f"{job.spec} says {verdict}")


def _truth(value: Any) -> bool | None:
    """A bool, NumPy's and a tensor's of one element too; None for anything else."""
    if not isinstance(value, bool) and callable(item := getattr(value, "item", None)):
        with suppress(Exception):  # of several elements, or another library's ``item``
            value = item()
    return value if isinstance(value, bool) else None


def _rewarded(function: Callable[..., Any], job: Job) -> JobResult:
    form = form_of(function)
    assert form is not None
    given = json.loads(job.gold)
    judged = Judged(json.loads(given["columns"] or "{}"), given["question"], given["answer"], given["task"])
    returned = function(**keywords_for(function, form.passed(job.pred, judged)))
    if isawaitable(returned):
        with ThreadPoolExecutor(max_workers=1) as thread:  # this one may run a loop, as a notebook's does
            returned = thread.submit(asyncio.run, _awaited(returned)).result()
    wrong = f"{job.spec} returned {_shown(returned)}: expected "
    score = returned
    if form.lists:
        if isinstance(returned, str | bytes | Mapping) or not hasattr(returned, "__len__") or len(returned) != 1:
            return _unparsable(f"{wrong}a list of one score, for one completion")
        (score,) = returned
    score = score["score"] if isinstance(score, Mapping) and "score" in score else score
    if score is None:
        return JobResult("left-out", f"{job.spec} gave None")
    value = math.nan
    if not isinstance(score, str | bytes):
        with suppress(TypeError, ValueError):
            value = float(score)
    if not math.isfinite(value):
        return _unparsable(f"{wrong}a finite number, or None")
    right = value >= given["threshold"]
    reason = f"reward {value:.6g}, {'at least' if right else 'below'} {given['threshold']:g}"
    return JobResult("right" if right else "wrong", reason, value)


async def _awaited(found: Any) -> Any:
    return await found


def _shown(value: Any) -> str:
    return "None" if value is None else f"{reprlib.repr(value)} ({type(value).__name__})"


def _place(function: Callable[..., Any], error: BaseException) -> str:
    """Where in the function's own file it happened, or else where at all."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(unwrap(function), "__code__", None)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename] or frames
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})"


def _unparsable(reason: str) -> JobResult:
    return JobResult("unparsable", reason if len(reason) <= _LONGEST else reason[: _LONGEST - 1] + "…")
