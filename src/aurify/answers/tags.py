"""The tags that models write around a thought, a reply and an answer: one table for all that read them.

A thought stands in ``<think>``, ``<thinking>``, ``<thought>`` or ``<reasoning>``. Some families have tags of their own:
``<seed:think>``, ``<mm:think>`` (MiniMax), ``<think:opensource>`` (Hy3), ``[THINK]`` (Magistral), ``◁think▷``
(Kimi-VL), ``<|START_THINKING|>`` (Command), ``<|begin_of_thought|>`` (OpenThinker, Sky-T1), ``<|thought_start|>``
(MiniCPM), ``<|inner_prefix|>`` (Apertus), ``<|channel>thought`` (Gemma 4), and gpt-oss's channels, of which ``final``
is the reply. Apriel begins with ``Here are my reasoning steps:``, Granite 3.2 with ``Here is my thought process:``.

A reply has tags in ``<|begin_of_solution|>`` and Apriel's ``[BEGIN FINAL RESPONSE]``; an answer in GLM-V's
``<|begin_of_box|>``.
"""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|reasoning|think:opensource|(?:seed|mm):think"
_THOUGHT = "(?:thought|think|thinking|reasoning)"
_WORDS = (
    (rf"(?:begin|start)_of_{_THOUGHT}|{_THOUGHT}_(?:begin|start)", rf"end_of_{_THOUGHT}|{_THOUGHT}_end"),
    ("START_THINKING", "END_THINKING"),
    ("inner_prefix", "inner_suffix"),
)
"""What opens and what closes a thought, between ``<|`` and ``|>``."""
_OPENING, _CLOSING = ("|".join(words) for words in zip(*_WORDS, strict=True))
_REPLY, _REPLIED = r"<\|begin_of_solution\|>|(?-i:\[BEGIN FINAL RESPONSE\])", r"<\|end_of_solution\|>"
TAG_TOKEN = rf"<\|(?:{_OPENING}|{_CLOSING}|(?:begin|end)_of_(?:solution|box))\|>"
"""Those that are spelled like the tokens of turns, and end none."""

THOUGHT_TAG = re.compile(
    rf"<(?:{_NAMES})>|(?-i:\[THINK\])|<\|(?:{_OPENING})\|>|◁think▷|<\|channel>thought"
    r"|<\|channel\|>(?:analysis|commentary)[^\n]{0,80}?<\|message\|>"
    r"|(?-i:(?:\A|(?<=\|>)|(?<=\|>\n))Here are my reasoning steps:\n)"
    rf"|(?P<close></(?:{_NAMES})>|(?-i:\[/THINK\])|<\|(?:{_CLOSING})\|>|◁/think▷|<channel\|>|{_REPLY}"
    r"|(?:<\|end\|><\|start\|>assistant)?<\|channel\|>final[^\n]{0,80}?<\|message\|>)",
    re.IGNORECASE,
)
THOUGHT_TOKEN = re.compile(
    rf"</?(?:{_NAMES})>|\[/?THINK\]|<\|(?:{_OPENING}|{_CLOSING})\|>|◁/?think▷|<\|channel>|<channel\|>|{_REPLY}"
    r"|(?P<channels><\|(?:start|channel|message|end)\|>)"
)
"""A special token that spells such a tag, or a part of one."""
REPLY_END = re.compile(rf"{_REPLIED}|\[END FINAL RESPONSE\]")
TOLD_THOUGHT = re.compile(r"\s*Here(?: is|['’]s) my thought process:")
TOLD_REPLY = re.compile(r"^Here(?: is|['’]s) my response:", re.MULTILINE)
TOLD_WORDS = ("Here is my thought process:", "Here is my response:")
"""Granite 3.2's words are everybody's: they are tags only where the one opens the text and the other follows, or where
the model's chat template asks for both."""

_BOX_TOKEN = r"<\|(?:begin|end)_of_box\|>"
_BOX = re.compile(rf"<\|begin_of_box\|>((?:(?!{_BOX_TOKEN}).)*)<\|end_of_box\|>|{_BOX_TOKEN}", re.DOTALL)


def with_boxes(text: str) -> str:
    r"""The text with ``\boxed{4}`` for ``<|begin_of_box|>4<|end_of_box|>``. Linear in its length.

    An object of JSON and what has several lines (code) stand without their tags.
    """
    return _BOX.sub(_boxed, text)


def _boxed(found: re.Match[str]) -> str:
    content = (found[1] or "").strip()
    balanced = content.count("{") == content.count("}")
    whole = not content or content.startswith("{") or "\n" in content or "\\boxed" in content
    return f"\\boxed{{{content}}}" if balanced and not whole else content
