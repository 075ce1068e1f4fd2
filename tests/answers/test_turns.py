from __future__ import annotations

import time

import pytest

from aurify.answers.extract import stated
from aurify.answers.tags import with_boxes
from aurify.answers.turns import before_next_problem


def _own(text: str) -> str:
    return before_next_problem(text, None, lambda head: False, lambda head: False)


@pytest.mark.parametrize(
    "token",
    [
        "<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>",
        "<|thought_start|>", "<|thought_end|>", "<|START_THINKING|>", "<|END_THINKING|>", "<|inner_suffix|>",
        "<|begin_of_box|>", "<|end_of_box|>",
    ],
)  # fmt: skip
def test_a_tag_ends_no_turn(token: str) -> None:
    text = f"Two and two.\n{token}The answer is 4."
    assert _own(text) == text
    assert stated(text, "number") == "4"
    assert _own(f"{text}<|im_end|>\nThe answer is 5.") == text


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>", "<|eot_id|>", "<|user|>", "<|word|>", "<|end|>", "<|thought|>", "<|box|>", "<|end_of_text|>",
        "<|begin_of_text|>", "<|end_of_boxes|>", "<|end_of_solutions|>", "<|begin_of_thoughts|>",
        "<｜end▁of▁sentence｜>", "</s>", "<end_of_turn>",
    ],
)  # fmt: skip
def test_a_token_of_turns_ends_one(token: str) -> None:
    assert _own(f"Two and two.{token}The answer is 5.") == "Two and two."


def test_boxes_take_linear_time() -> None:
    begun = time.process_time()
    with_boxes("<|begin_of_box|>4" * 50_000)
    _own("<|begin_of_box|" * 50_000)
    assert time.process_time() - begun < 5
