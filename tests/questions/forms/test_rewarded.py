from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aurify.questions import LoadedQuestions

Load = Callable[..., LoadedQuestions]

PROMPT = [{"role": "user", "content": "What is 15% of 80?"}]


@pytest.mark.parametrize("spelled", [False, True])
def test_verl(load: Load, spelled: bool) -> None:
    model: Any = {"style": "rule", "ground_truth": "12"}
    extra = {"index": 0, "split": "train", "answer": "15 * 80 / 100 = <<1200/100=12>>12\n#### 12"}
    row = {
        "data_source": "openai/gsm8k",
        "prompt": PROMPT,
        "ability": "math",
        "reward_model": model,
        "extra_info": extra,
    }
    if spelled:
        row |= {"prompt": json.dumps(PROMPT), "reward_model": json.dumps(model)}
    (found,) = load(row)
    assert (found.text, found.answer, found.answer_type) == ("What is 15% of 80?", "12", "number")
    assert found.rationale == "15 * 80 / 100 = 12\nSo the answer is 12."


def test_several_targets_and_boxed_ones(load: Load) -> None:
    found = load(
        {"prompt": PROMPT, "reward_model": {"ground_truth": {"target": ["Rhine", "Rhein"]}}},
        {"prompt": "text alone", "reward_model": {"ground_truth": "\\boxed{7}"}},
    )
    assert [(one.answer, one.accepted) for one in found] == [("Rhine", ("Rhein",)), ("7", ())]


def test_verifiers(load: Load) -> None:
    found = load(
        {"prompt": PROMPT, "info": {"ground_truth": "12"}, "task": "percent"},
        {"prompt": "15 % of 80?", "verification_info": '{"ground_truth": "12"}', "problem_id": "p1"},
        {"question": "15 % of 80?", "answer": "12", "info": '{"level": 3}'},
    )
    assert found.skipped == []
    assert [one.answer for one in found] == ["12"] * 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": PROMPT, "reward_model": {"style": "model"}}, "expected an object with ground_truth"),
        ({"prompt": PROMPT, "reward_model": "rule"}, "'reward_model' is text"),
        (
            {"prompt": PROMPT, "reward_model": {"ground_truth": '{"inputs": ["1"], "outputs": ["2"]}'}},
            "'reward_model.ground_truth' is an object of 'inputs', 'outputs'",
        ),
        (
            {"prompt": PROMPT, "verification_info": '{"test_cases": []}'},
            "no answer: 'verification_info' holds 'test_cases'",
        ),
        (
            {"messages": PROMPT, "ground_truth": '{"func_name": "validate_words"}'},
            "'ground_truth' is an object of 'func_name'",
        ),
    ],
)
def test_a_nested_value_is_read_or_refused_but_never_the_answer(load: Load, row: dict[str, Any], reason: str) -> None:
    found = load(row)
    assert len(found) == 0
    assert reason in found.skipped[0][1]


def test_pythons_notation_is_read_as_json_is(load: Load) -> None:
    rows = [
        {"prompt": "q?", "verification_info": "{'ground_truth': '5'}"},
        {"prompt": "[{'role': 'user', 'content': 'q?'}]", "reward_model": "{'style': 'rule', 'ground_truth': '5'}"},
        {"prompt": "q?", "answer": "{'value': 5}"},
    ]
    assert [(one.text, one.answer) for one in load(*rows)] == [("q?", "5")] * 3
    found = load({"prompt": "q?", "answer": "{'a': 1}"}, {"prompt": "q?", "answer": '{"a": 1}'})
    assert [one.answer for one in found] == ["{'a': 1}"], "what a program prints may be the answer"
    assert "an object of 'a'" in found.skipped[0][1]
