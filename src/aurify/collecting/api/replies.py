"""A server's response read: its choices as samples, and what it bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.collecting.api.records import Answer, Endpoint, Reply, Usage
from aurify.rationales.endings import ending
from aurify.rationales.message import read_message

_MOST_TOKENS = 2**40
"""No request is billed for more; a server that says so does not know."""


def answer_of(response: Mapping[str, Any], endpoint: Endpoint) -> Answer:
    """The samples in their order, without those that something at the server broke off."""
    choices = [choice for choice in response["choices"] if isinstance(choice, dict)]
    choices.sort(key=lambda choice: choice["index"] if isinstance(choice.get("index"), int) else len(choices))
    broken = next((told for choice in choices if (told := _broken(choice))), None)
    read = (reply_of(choice, endpoint) for choice in choices if not _broken(choice))
    replies = tuple(reply for reply in read if reply is not None)
    return Answer(replies, usage_of(response.get("usage")), broken or "the server gave no choice")


def reply_of(choice: Mapping[str, Any], endpoint: str) -> Reply | None:
    """A choice as a sample; None for what is no choice."""
    finish = ending(choice.get("finish_reason"))
    if endpoint == "completions":
        text = choice.get("text")
        return Reply(text if isinstance(text, str) else None, None, finish)
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    return Reply(*read_message(message, cut=finish == "length"), finish)


def _broken(choice: Mapping[str, Any]) -> str:
    """How the server itself broke a sample off, in half a line; else nothing."""
    error, finish = choice.get("error"), choice.get("finish_reason")
    if ending(finish) != "error" and not (error and not finish):
        return ""
    said = error.get("message") if isinstance(error, Mapping) else error
    return f"the server broke a sample off ({said or finish})"


def usage_of(found: Any) -> Usage | None:
    """What was billed; None where the server does not say.

    Some (Gemini, xAI) leave thoughts out of ``completion_tokens`` and count them in ``total_tokens`` alone.
    """
    if not isinstance(found, dict):
        return None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens", 0)
    if not (isinstance(prompt, int) and isinstance(completion, int)):
        return None
    if isinstance(total := found.get("total_tokens"), int):
        completion = max(completion, total - prompt)
    if not (0 <= prompt <= _MOST_TOKENS and 0 <= completion <= _MOST_TOKENS):
        return None
    return Usage(prompt, completion)
