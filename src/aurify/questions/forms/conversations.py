"""Conversations: TRL's ``prompt``, ``messages``, ShareGPT's ``conversations``; the answer in a column, or stated."""

from __future__ import annotations

from aurify.questions.fields import Fields
from aurify.questions.forms.form import QUESTION_FIELDS, Form, Found, answered, asked, asked_in_turns
from aurify.questions.turns import is_turns

TURN_FIELDS = ("prompt", "messages", "conversations", "conversation", "turns", "dialogue", "chat")


def _field(fields: Fields) -> str | None:
    """The field with turns, where no field states the question as text."""
    if any(isinstance(fields.get(name), str) and not is_turns(fields[name]) for name in QUESTION_FIELDS):
        return None
    return next((name for name in TURN_FIELDS if is_turns(fields.get(name))), None)


def question_of(fields: Fields) -> Found:
    """The question alone: the user's turn of a conversation, else a field's text."""
    name = _field(fields)
    return asked(fields) if name is None else asked_in_turns(fields[name], name, fields)


CONVERSATIONS = Form(
    "turns",
    "the user's turn (prompt, messages or conversations), and an answer in a column or stated by the assistant",
    lambda fields: _field(fields) is not None,
    lambda fields: answered(fields, question_of(fields)),
)
