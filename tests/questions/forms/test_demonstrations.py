from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aurify.questions import LoadedQuestions

Load = Callable[..., LoadedQuestions]

USER = {"role": "user", "content": "What is 1 + 2?"}


def test_what_is_to_be_imitated_states_the_answer(load: Load) -> None:
    rows: list[dict[str, Any]] = [
        {"instruction": "Add the numbers.", "input": "1 and 2", "output": "We add.\n#### 3"},
        {"instruction": "What is 1 + 2?", "input": "", "output": "3"},
        {"prompt": "What is 1 + 2?", "completion": "One more than two. The answer is 3."},
        {"prompt": [USER], "completion": [{"role": "assistant", "content": "The answer is 3."}]},
        {"instruction": "How many?", "context": "Ann has 3 hats.", "response": "3", "category": "closed_qa"},
    ]
    found = load(*rows)
    assert found.skipped == []
    assert [one.answer for one in found] == ["3"] * 5
    assert [one.text for one in found] == [
        "Add the numbers.\n\n1 and 2", *["What is 1 + 2?"] * 3, "Ann has 3 hats.\n\nHow many?",
    ]  # fmt: skip
    assert [one.rationale is not None for one in found] == [True, False, True, True, False]
    assert found.forms == {"demonstration": 5}
    assert any("5 of 5 answers are what a text to imitate states" in note for note in found.notes)


def test_a_text_that_states_nothing_is_a_bad_row(load: Load) -> None:
    poem = "Roses are red,\nviolets are blue."
    assert "no answer: 'output' states none" in load({"instruction": "A poem, please.", "output": poem}).skipped[0][1]


@pytest.mark.parametrize(
    "more",
    [
        {"label": True},  # TRL's KTO
        {"rejected": "4"},
        {"accuracy_reward": 1.0, "step": 3},  # TRL's logged completions
        {"score": 0.5},
        {"is_correct": False},
    ],
)
def test_a_sample_that_is_scored_is_no_gold_answer(load: Load, more: dict[str, Any]) -> None:
    found = load({"prompt": "What is 1 + 2?", "completion": "The answer is 3.", **more})
    assert len(found) == 0
    assert "no answer: expected a field named" in found.skipped[0][1]


def test_a_field_with_the_answer_goes_before(load: Load) -> None:
    found = load({"prompt": "What is 1 + 2?", "completion": "The answer is 4.", "answer": "3"})
    assert (found[0].answer, found.forms) == ("3", {"plain": 1})
