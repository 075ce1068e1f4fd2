"""Rows to imitate: Alpaca's ``instruction`` and ``output``, TRL's ``prompt`` and ``completion``, Dolly's ``response``.

What is to be imitated states the answer, or is one. A row that scores it, or sets another beside it, is a sample of a
model, right or wrong, and not read as a question.
"""

from __future__ import annotations

import re

from aurify.questions.fields import Fields
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import ANSWER_FIELDS, Form, Found, with_stated_answer
from aurify.questions.rows import RowError
from aurify.questions.turns import is_turns, last_turn

PAIRS = (
    ("instruction", "output"), ("instruction", "response"), ("prompt", "completion"), ("query", "response"),
    ("question", "response"),
)  # fmt: skip
"""What asks, and what is to be imitated."""
_SCORED = re.compile(r"label|score|reward|correct|accura|verdict|grade|rating|advantage|passed?|step|rejected|chosen")
_OTHERS = ("solution", "rationale", "rationales", "samples", "completions", "responses", "outputs")


def _imitated(fields: Fields) -> str | None:
    """The field that is to be imitated."""
    if fields.filled([*ANSWER_FIELDS, *_OTHERS]) is not None or any(map(_SCORED.search, fields)):
        return None
    return next((said for asks, said in PAIRS if fields.get(asks) and fields.get(said)), None)


def _read(fields: Fields) -> Found:
    name = _imitated(fields)
    assert name is not None
    said = last_turn(fields[name], name) if is_turns(fields[name]) else fields[name]
    if not isinstance(said, str):
        raise RowError(f"'{name}' is no text: expected what answers the question")
    return with_stated_answer(question_of(fields), said, name)


DEMONSTRATIONS = Form(
    "demonstration",
    "a prompt and the completion to imitate, which states the answer (Alpaca, TRL, Dolly)",
    lambda fields: _imitated(fields) is not None,
    _read,
)
