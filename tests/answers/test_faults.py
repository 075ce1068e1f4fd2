"""What is said, and when a run ends, where the user's own function fails."""

from __future__ import annotations

import json

import pytest

from aurify.answers.faults import ALL_FAILED, Faults
from aurify.answers.pool import Job, JobResult
from aurify.errors import AurifyError

FAILED = JobResult("unparsable", "mine:f raised KeyError: 'x' (mine.py, line 2)")
LATE = JobResult("timeout", "no verdict within 5 s")
SERVED = [JobResult("right", "reward 1"), JobResult("wrong", "reward 0"), JobResult("left-out", "mine:f gave None")]
ABOUT = f"{FAILED.reason}, judging 'text 0' of rows.jsonl:1"


def job(number: int, op: str = "reward", spec: str = "mine:f") -> Job:
    return Job(op, f"text {number}", json.dumps({"place": "rows.jsonl:1"}) if op == "reward" else "7", spec)


def test_the_first_failure_is_said_and_no_other() -> None:
    lines: list[str] = []
    faults = Faults(lines.append)
    for number in range(5):
        faults.heed(job(number), FAILED)
    assert lines == [f"{ABOUT}; what it fails on is unparsable"]
    faults.heed(job(0, spec="mine:g"), LATE)
    assert lines[1:] == [
        "mine:g: no verdict within 5 s (--reward-timeout gives it longer), judging 'text 0' of rows.jsonl:1; what it "
        "fails on is timeout"
    ]


def test_one_that_does_nothing_else_is_an_error() -> None:
    faults = Faults(lambda line: None)
    for number in range(ALL_FAILED - 1):
        faults.heed(job(number), FAILED)
    with pytest.raises(AurifyError, match=r"^mine:f raised KeyError.*failed on all 16 rationales so far: mend it"):
        faults.heed(job(ALL_FAILED), FAILED)


@pytest.mark.parametrize("served", SERVED)
def test_one_that_ever_served_is_none(served: JobResult) -> None:
    faults = Faults(lambda line: None)
    for number in range(3 * ALL_FAILED):
        faults.heed(job(number), served if number == ALL_FAILED - 1 else FAILED)


def test_a_comparison_may_fail_on_what_a_model_states_and_a_built_in_type_is_none_of_this() -> None:
    lines: list[str] = []
    faults = Faults(lines.append)
    for number in range(2 * ALL_FAILED):
        faults.heed(job(number, "custom"), FAILED)
        faults.heed(Job("math", "x", "y"), LATE)
    assert lines == [f"{FAILED.reason}, judging 'text 0' beside '7'; what it fails on is unparsable"]
