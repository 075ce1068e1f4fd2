"""Conversations whose assistant's turn holds the answer and no text (Open-Reasoner-Zero).

A row is the list of its turns, or has them as fields named ``0`` and ``1``, as the hub's viewer of data sets writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aurify.questions.acceptable import acceptable
from aurify.questions.fields import Fields
from aurify.questions.forms.form import Form, Found, asked_in_turns

_FIELD = "ground_truth"


def _turns(fields: Fields) -> list[Fields]:
    """The turns of a row; none where it is no conversation."""
    held: Any = fields.get("conversations")
    if held is None and "0" in fields and "1" in fields:
        held = [fields["0"], fields["1"]]
    return [Fields(one) for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []


def _read(fields: Fields) -> Found:
    turns = _turns(fields)
    [answer, *_] = (turn[_FIELD] for turn in turns if turn.get(_FIELD))
    before = [turn.original for turn in turns if not turn.get(_FIELD)]
    return replace(asked_in_turns(before, "conversations", fields), answers=tuple(acceptable(answer, _FIELD)))


GRADED_TURNS = Form(
    "graded-turns",
    "a conversation whose assistant's turn holds ground_truth (Open-Reasoner-Zero)",
    lambda fields: any(turn.get(_FIELD) for turn in _turns(fields)),
    _read,
)
