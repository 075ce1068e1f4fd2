"""The question within a prompt as a log shows it: rendered by a chat template, or as ``Question: ...``."""

from __future__ import annotations

import re

_TURNS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<\|im_start\|>user\n((?:(?!<\|im_start\|>).)*?)(?:<\|im_end\|>|\Z)",  # ChatML: Qwen, SmolLM
        # Llama 3
        r"<\|start_header_id\|>user<\|end_header_id\|>\s*((?:(?!<\|start_header_id\|>).)*?)(?:<\|eot_id\|>|\Z)",
        r"<start_of_turn>user\n((?:(?!<start_of_turn>).)*?)(?:<end_of_turn>|\Z)",  # Gemma
        r"\[INST\]((?:(?!\[INST\]).)*?)\[/INST\]",  # Mistral
        r"<｜User｜>((?:(?!<｜User｜>).)*?)(?:<｜Assistant｜>|\Z)",  # DeepSeek
        r"<\|user\|>\n?((?:(?!<\|user\|>).)*?)(?:<\|end\|>|<\|assistant\|>|</s>|\Z)",  # Phi, Zephyr
    )
)
_BARE_ROLES = re.compile(r"(?:\A|\n)(?:user|User:|Human:)[ \t]*\n?")
_REPLY = re.compile(r"\n\s*(?:assistant|Assistant:|model)[ \t]*(?:\n|\Z)(?:<think>\s*)?\Z")
_QUESTION = re.compile(r"(?:\A|\n)(?:Question|Q|Problem): ?")
_ANSWER = re.compile(r"\n(?:Answer|A|Solution):")


def question_within(prompt: str) -> str:
    """The last question that a prompt asks, without template, system turn and worked examples; else all of it."""
    for pattern in _TURNS:
        found = pattern.findall(prompt)
        if found:
            return str(found[-1]).strip()
    reply = _REPLY.search(prompt[-200:])
    if reply:  # the special tokens were left out, and bare role names stay
        body = prompt[: len(prompt) - len(prompt[-200:]) + reply.start()]
        roles = list(_BARE_ROLES.finditer(body))
        if roles:
            return body[roles[-1].end() :].strip()
    asks = list(_QUESTION.finditer(prompt))
    if asks:
        rest = prompt[asks[-1].end() :]
        answer = _ANSWER.search(rest)
        if answer:
            return rest[: answer.start()].strip()
    return prompt.strip()
