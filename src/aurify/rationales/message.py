"""An assistant's message as servers send it: what it says, what it thought before that, and what it refused with.

Servers differ in where the thought stands: ``reasoning_content`` (DeepSeek, SGLang, older vLLM), ``reasoning`` (vLLM,
OpenRouter, Groq, Ollama), ``thinking`` (Ollama's own), ``reasoning_details`` (OpenRouter), parts of the content of type
``thinking`` (Mistral, Anthropic), or in the content in tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aurify.answers.thought import with_thought

THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = ("thinking", "reasoning")


class MessageText(NamedTuple):
    """What a message holds; None for what is not there."""

    text: str | None
    """The thought in tags, where there is one, and what follows it."""
    refusal: str | None


def read_message(message: Mapping[str, Any], *, cut: bool) -> MessageText:
    """The message as one text.

    Args:
        cut: it ended at a limit, so that a thought without a reply is not closed.
    """
    content, refusal = message.get("content"), message.get("refusal")
    text = content if isinstance(content, str) else _parts(content, thoughts=False)
    refusal = refusal if isinstance(refusal, str) and refusal else None
    thought = _thought(message, text or "")
    if thought and (text or refusal is None):
        text = with_thought(thought, text or "", closed=not cut)
    return MessageText(text, refusal)


def _thought(message: Mapping[str, Any], text: str) -> str:
    """What the model thought before its reply, where the server sends it apart and not in the text too."""
    found = [message.get(name) for name in THOUGHT_FIELDS]
    found += [_parts(message.get("content"), thoughts=True), _details(message.get("reasoning_details"))]
    told = (one for one in found if isinstance(one, str) and one.strip() and one.strip() not in text)
    return next(told, "")


def _parts(content: Any, *, thoughts: bool) -> str | None:
    """The text of a content's parts, of those that are thoughts or of the others; None where it has no parts."""
    if not isinstance(content, list):
        return None
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if (kind in _THOUGHT_PARTS) is thoughts:
            texts.append(_thought_in(part, kind) if thoughts else _text(part))
    return "".join(texts)


def _thought_in(part: Mapping[str, Any], kind: Any) -> str:
    """A part's thought; its summary where it has no other, or (inspect's ``redacted``) one that is encrypted."""
    whole = "" if part.get("redacted") is True else _text(part.get(kind, part.get("text")))
    return whole or _text(part.get("summary"))


def _text(value: Any) -> str:
    """A text, the ``text`` of an object, or those of a list."""
    if isinstance(value, list):
        return "".join(map(_text, value))
    found = value.get("text") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else ""


def _details(details: Any) -> str:
    """OpenRouter's: texts or summaries; what is encrypted says nothing."""
    if not isinstance(details, list):
        return ""
    return "".join(_text(one) or _text(one.get("summary")) for one in details if isinstance(one, Mapping))
