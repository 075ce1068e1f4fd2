"""The tag that closes a thought is that of its opening."""

from __future__ import annotations

import pytest

from aurify.questions.closing import closing


@pytest.mark.parametrize(
    ("opening", "closed"),
    [
        ("<think>\n", "\n</think>\n\n"),
        ("<reasoning>", "\n</reasoning>\n\n"),
        ("<think:open>\n", "\n</think:open>\n\n"),
        ("[THINK]", "[/THINK]"),
        ("<|channel>thought\n", "<channel|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|unknown|>", "\n</think>\n\n"),
    ],
)
def test_what_closes_a_thought(opening: str, closed: str) -> None:
    assert closing(opening) == closed
