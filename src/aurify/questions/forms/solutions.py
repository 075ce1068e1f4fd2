"""Worked solutions: MATH, NuminaMath, OpenR1, s1K. The answer has a field of its own, or the solution states it."""

from __future__ import annotations

from dataclasses import replace

from aurify.answers.options import options
from aurify.questions.fields import Fields
from aurify.questions.forms.form import Form, Found, answered, asked
from aurify.questions.gold import as_choice
from aurify.questions.rows import RowError, show


def _read(fields: Fields) -> Found:
    valid = fields.get("problem_is_valid")
    if valid is not None and str(valid).lower() not in ("yes", "true", "1"):
        raise RowError(f"'problem_is_valid' is {show(valid)}: the row itself calls its problem flawed")
    found = answered(fields, asked(fields))
    if str(fields.get("question_type")).lower() in ("mcq", "multiple-choice", "multiple choice"):
        letter, listed = as_choice(found.answers[0]), options(found.text)
        if letter and letter[1] not in listed:
            raise RowError(f"the answer is {letter}, but the question does not list that option")
        if letter:
            return replace(found, answer_type="choice")
    return found


SOLUTIONS = Form(
    "solution",
    "a question and its worked solution (MATH, NuminaMath, OpenR1, s1K)",
    lambda fields: bool({"problem", "question", "prompt"} & set(fields)) and isinstance(fields.get("solution"), str),
    _read,
)
