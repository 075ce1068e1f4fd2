"""What a server's choice becomes: reasoning that it sends apart stands before the reply, in tags."""

from __future__ import annotations

from typing import Any

import pytest

from aurify.collecting.api.replies import reply_of

TOLD = "6 times 7 is 42."
THOUGHT = f"<think>\n{TOLD}\n"


@pytest.mark.parametrize(
    ("message", "finish", "text", "refusal"),
    [
        ({"content": "42", "reasoning_content": TOLD}, "stop", f"{THOUGHT}</think>\n\n42", None),
        ({"content": "42", "reasoning": TOLD}, "stop", f"{THOUGHT}</think>\n\n42", None),
        ({"content": None, "reasoning": TOLD}, "stop", f"{THOUGHT}</think>\n\n", None),
        ({"content": None, "reasoning_content": TOLD}, "length", THOUGHT, None),
        ({"content": "4", "reasoning_content": TOLD}, "length", f"{THOUGHT}</think>\n\n4", None),
        ({"content": f"<think>{TOLD}</think>42", "reasoning": TOLD}, "stop", f"<think>{TOLD}</think>42", None),
        ({"content": "42", "reasoning_content": None, "reasoning": {"effort": "low"}}, "stop", "42", None),
        ({"content": "42", "reasoning_content": " \n"}, "stop", "42", None),
        ({"content": None, "refusal": "No.", "reasoning": TOLD}, "stop", None, "No."),
    ],
)
def test_reasoning_that_is_sent_apart(message: dict[str, Any], finish: str, text: str, refusal: str | None) -> None:
    found = reply_of({"message": message, "finish_reason": finish}, "chat/completions")
    assert found is not None
    assert (found.text, found.refusal, found.finish_reason) == (text, refusal, finish)
