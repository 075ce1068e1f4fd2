"""How a thought that a prompt opens is closed before a reply that has none."""

from __future__ import annotations

import re

from aurify.answers.thought import CLOSING

_XML = re.compile(r"<(?P<name>\w[\w:]{0,40})>")
_CLOSED = {
    "[THINK]": "[/THINK]",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|thought_start|>": "<|thought_end|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "◁think▷": "◁/think▷",
    "<|channel>": "<channel|>",
    "Here are my reasoning steps:": "\n[BEGIN FINAL RESPONSE]\n",
    "<|channel|>": "<|end|><|start|>assistant<|channel|>final<|message|>",
}
"""By what an opening begins with. Models with these tags write no line breaks around them, but for Apriel."""


def closing(opening: str) -> str:
    """What closes an empty thought: its family's tag; behind ``<think>`` with the line breaks that models write."""
    for begun, closed in _CLOSED.items():
        if opening.upper().startswith(begun.upper()):
            return closed
    tag = _XML.match(opening)
    return f"\n</{tag['name']}>\n\n" if tag else f"\n{CLOSING}\n\n"
