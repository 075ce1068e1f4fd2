"""An answer as text in ``label`` (slime, OpenRLHF), where no completion is there that it would be the label of."""

from __future__ import annotations

from aurify.questions.fields import Fields
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import ANSWER_FIELDS, QUESTION_FIELDS, Form, answered

_LABELLED = ("completion", "response", "output", "text", "solution", "rationale", "generation")


def _is_answer(fields: Fields) -> bool:
    label = fields.get("label")
    asks = fields.filled([*QUESTION_FIELDS, "messages", "conversations"])
    other = fields.filled([*ANSWER_FIELDS, *_LABELLED])
    return isinstance(label, str) and bool(label.strip()) and asks is not None and other is None


LABELS = Form(
    "label",
    "a prompt, and the answer as text in label (slime, OpenRLHF)",
    _is_answer,
    lambda fields: answered(Fields({**fields.original, "answer": fields["label"]}), question_of(fields)),
)
