"""ASDiv: ``answer_number`` beside ``answer``, null where the answer is no single number."""

from __future__ import annotations

from dataclasses import replace

from aurify.questions.acceptable import acceptable
from aurify.questions.fields import Fields
from aurify.questions.forms.form import Form, Found, asked
from aurify.questions.gold import as_number


def _read(fields: Fields) -> Found:
    question = asked(fields)
    if fields["answer_number"] is not None:
        return replace(question, answers=acceptable(fields["answer_number"], "answer_number"), answer_type="number")
    answers = acceptable(fields.get("answer"), "answer")
    return replace(question, answers=answers, answer_type="number" if as_number(answers[0]) else "text")


NUMBERS = Form("asdiv", "a question, its answer, and answer_number (ASDiv)", lambda f: "answer_number" in f, _read)
