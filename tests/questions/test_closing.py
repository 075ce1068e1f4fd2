"""The tag that closes a thought is that of its opening."""

from __future__ import annotations

import pytest

from aurify.answers.thought import after_thought
from aurify.questions.closing import closing


@pytest.mark.parametrize(
    ("opening", "closed"),
    [
        ("<think>\n", "\n</think>\n\n"),
        ("<reasoning>", "\n</reasoning>\n\n"),
        ("<think:open>\n", "\n</think:open>\n\n"),
        ("[THINK]", "[/THINK]"),
        ("<|begin_of_thought|>\n", "<|end_of_thought|>"),
        ("<|thought_start|>", "<|thought_end|>"),
        ("<|inner_prefix|>", "<|inner_suffix|>"),
        ("<|channel>thought\n", "<channel|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|unknown|>", "\n</think>\n\n"),
    ],
)
def test_what_closes_a_thought(opening: str, closed: str) -> None:
    assert closing(opening) == closed


OPENINGS = ["<think>", "[THINK]", "<|begin_of_thought|>", "<|thought_start|>", "<|inner_prefix|>", "<|channel>thought"]


@pytest.mark.parametrize("opening", OPENINGS)
def test_what_closes_it_is_read_as_its_end(opening: str) -> None:
    assert after_thought(f"{opening}hm, 5?{closing(opening)}It is 4.").strip() == "It is 4."
