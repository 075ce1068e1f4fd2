"""Conversations as files hold them: turns of ``role`` and ``content``, or of ``from`` and ``value`` (ShareGPT)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurify.questions.fields import Fields, is_list, structure
from aurify.questions.gold import as_text
from aurify.questions.rows import RowError, json_type, show

_ROLES = {
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatgpt": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip


@dataclass(frozen=True)
class Turns:
    """A conversation of one question; what is not there is empty."""

    system: str
    user: str
    assistant: str


def is_turns(value: Any) -> bool:
    """Whether a value is a conversation: a list of objects with a role each, or the JSON text of one."""
    value = structure(value)
    return is_list(value) and bool(value) and all(map(_is_turn, value))


def read_turns(value: Any, field: str) -> Turns:
    """The one question of a conversation, with what stands before it (system) and after it (assistant).

    Raises:
        RowError: there are several user turns or none, or a turn is not text.
    """
    said: dict[str, list[str]] = {"system": [], "user": [], "assistant": []}
    for turn in map(Fields, structure(value)):
        known = role_of(turn)
        if known is None:
            named = show(turn.get("role", turn.get("from")), 30)
            raise RowError(f"'{field}' holds a turn of {named}: expected system, user and assistant")
        said[known].append(_content(turn.get("content", turn.get("value")), field))
    if len(said["user"]) != 1:
        count = len(said["user"]) or "no"
        raise RowError(f"'{field}' holds {count} user turns: expected one question; --question-field names another")
    return Turns("\n\n".join(filter(None, said["system"])), said["user"][0], "\n\n".join(said["assistant"]).strip())


def role_of(turn: Mapping[str, Any]) -> str | None:
    """Whose turn it is: user, assistant or system; None of another."""
    fields = Fields(turn)
    return _ROLES.get(str(fields.get("role", fields.get("from"))).lower())


def last_turn(value: Any, field: str) -> str:
    """The text of a conversation's last turn.

    Raises:
        RowError: it is no text.
    """
    turn = Fields(structure(value)[-1])
    return _content(turn.get("content", turn.get("value")), field)


def _is_turn(value: Any) -> bool:
    names = set(Fields(value)) if isinstance(value, Mapping) else set()
    return {"role", "content"} <= names or {"from", "value"} <= names


def _content(value: Any, field: str) -> str:
    """A turn's text; that of a list of parts is joined."""
    if value is None:  # an assistant's turn that only calls a tool
        return ""
    if not is_list(value):
        return as_text(value, field) if str(value).strip() else ""
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in value]
    odd = next((one for one, text in zip(value, parts, strict=True) if not isinstance(text, str)), None)
    if odd is not None:
        what = show(odd.get("type")) if isinstance(odd, Mapping) else json_type(odd)
        raise RowError(f"'{field}' holds a part that is no text ({what}): expected text alone")
    return as_text("".join(map(str, parts)), field)
