"""A field with the question and one with the answer, as most files have them."""

from __future__ import annotations

from aurify.questions.forms.form import Form, answered, asked

PLAIN_FORM = Form(
    "plain",
    "a question and its answer in a field each",
    lambda fields: True,
    lambda fields: answered(fields, asked(fields)),
)
