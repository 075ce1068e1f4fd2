"""A call in this process, as of a function that Python gave."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from aurify.answers import Grader
from aurify.answers.calls import called
from aurify.answers.custom import word_of
from aurify.answers.pool import Job
from aurify.questions import Question


def outcome(function: Any, *, reward: bool = True) -> tuple[str, str, float | None]:
    word = word_of(function)
    given = {"columns": "", "question": "q?", "answer": "7", "task": "", "threshold": 0.5, "place": "q"}
    return called(Job("reward" if reward else "custom", "So 7", json.dumps(given) if reward else "7", word or ""))


async def waits(solution_str: str, ground_truth: str) -> float:
    await asyncio.sleep(0)
    return float(ground_truth in solution_str)


def test_one_that_waits_is_waited_for_even_where_a_loop_runs() -> None:
    async def notebook() -> tuple[str, str, float | None]:
        return outcome(waits)

    assert outcome(waits) == asyncio.run(notebook()) == ("right", "reward 1, at least 0.5", 1.0)


def raises_below(completions: list[str]) -> list[float]:
    return [json.loads(one) for one in completions]


def test_what_it_raises_is_told_with_the_line_of_its_own_file() -> None:
    word, reason, _ = outcome(raises_below)
    assert word == "unparsable"
    line = raises_below.__code__.co_firstlineno + 1
    assert reason.startswith(f"{__name__}:raises_below raised JSONDecodeError: ")
    assert reason.endswith(f" (test_calls.py, line {line})")


@pytest.mark.parametrize(
    ("value", "word", "said"),
    [
        (True, "right", "says right"),
        (np.bool_(False), "wrong", "says wrong"),
        ((False, "too short"), "wrong", "too short"),
        (1, "unparsable", "returned 1 (int): expected True or False"),
        (None, "unparsable", "returned None: expected True or False"),
        ("1", "unparsable", "returned '1' (str): expected True or False"),
        ("x" * 999, "unparsable", "returned 'xxxxxxxxxxxx...xxxxxxxxxxxxx' (str): expected True or False"),
        ((True, True, True), "unparsable", "returned (True, True, True) (tuple): expected True or False"),
    ],
)
def test_a_comparison_says_whether(value: object, word: str, said: str) -> None:
    found = outcome(lambda pred, gold: value, reward=False)
    assert (found[0], found[2]) == (word, None)
    assert found[1].endswith(said)


def test_a_grader_calls_it_here_and_starts_no_process() -> None:
    asked: list[str] = []

    def keeps(completions: list[str], **columns: Any) -> list[float]:
        asked.append(completions[0])
        return [float(len(asked))]

    def endless(completions: list[str]) -> list[float]:
        return endless(completions)

    with Grader() as grader:
        assert [grader.grade(text, Question("q", "?", "", word_of(keeps) or "")).score for text in "aba"] == [1, 2, 1]
        assert asked == ["a", "b"]
        assert grader.grade("a", Question("q", "?", "", word_of(endless) or "")).reason.endswith("RecursionError")
        same = Question("q", "?", "7", word_of(lambda pred, gold: pred == gold) or "")
        assert grader.grade("The answer is 7.", same).right
        assert grader.worker_pids() == []
