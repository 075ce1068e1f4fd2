"""Countdown's target is no answer; files that look like it keep theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aurify.questions import LoadedQuestions, read_questions

ASKED = "Using the numbers [44, 19, 35], create an equation that equals 98."
NUMBERS = {"target": 98, "nums": [44, 19, 35]}


def load(folder: Path, row: dict[str, Any], **options: Any) -> LoadedQuestions:
    (folder / "f.jsonl").write_text(json.dumps(row) + "\n")
    return read_questions(folder / "f.jsonl", skip_bad=True, **options)


@pytest.mark.parametrize(
    "row",
    [
        {**NUMBERS, "prompt": ASKED},
        {"target": "98", "nums": "[44, 19, 35]", "prompt": ASKED},
        {"prompt": ASKED, "ground_truth": {"numbers": [44, 19, 35], "target": 98}},
        {"prompt": ASKED, "reward_model": {"ground_truth": {"numbers": [44, 19, 35], "target": 98}}},
        {"prompt": ASKED, "reward_model": json.dumps({"ground_truth": {"numbers": [44, 19, 35], "target": 98}})},
        {"prompt": ASKED, "info": NUMBERS},
    ],
)
def test_a_target_is_refused_and_the_way_out_named(tmp_path: Path, row: dict[str, Any]) -> None:
    ((where, reason),) = load(tmp_path, row).skipped
    assert where == f"{tmp_path}/f.jsonl:1"
    assert "--answers module:function" in reason
    assert "examples/own_reward.py" in reason


def test_it_is_asked_where_a_reward_function_judges_or_the_target_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "countdown_reward.py").write_text(
        "def makes(completions, target, nums, **columns):\n    return [1.0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (question,) = load(tmp_path, {**NUMBERS, "prompt": ASKED}, answers="countdown_reward:makes")
    assert question.text == ASKED
    (question,) = load(tmp_path, {**NUMBERS, "prompt": ASKED}, answer_field="target")
    assert question.answer == "98"


@pytest.mark.parametrize(
    "row",
    [
        {"question": "44 + 54?", "target": 98},
        {"question": "44 + 54?", "target": "98", "numbers": "44 54"},
        {"question": "Two of them add up to 9. What is the other?", "target": 9, "nums": [2, 7, 98], "answer": 98},
        {"question": "44 + 54?", "reward_model": {"ground_truth": {"target": ["98"]}}},
        {"question": "44 + 54?", "nums": [44, 54], "answer": 98},
    ],
)
def test_a_target_that_is_the_answer_stays_one(tmp_path: Path, row: dict[str, Any]) -> None:
    assert [one.answer for one in load(tmp_path, row)] == ["98"]
