"""Files for reinforcement learning that nest the answer: verl's ``reward_model``, verifiers' ``info``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aurify.questions.acceptable import acceptable
from aurify.questions.fields import Fields, structure
from aurify.questions.forms.conversations import question_of
from aurify.questions.forms.form import ANSWER_FIELDS, Form, Found
from aurify.questions.gold import split_worked, stated_answer
from aurify.questions.rows import RowError, json_type, show

HOLDERS = ("verification_info", "info", "reward_info", "extra_info")
"""What may hold the answer of a row that has no other."""
_KEYS = ("ground_truth", *(name for name in ANSWER_FIELDS if name != "ground_truth"), "gold_standard_solution")


def _read_verl(fields: Fields) -> Found:
    model = structure(fields["reward_model"])
    if not isinstance(model, Mapping) or "ground_truth" not in model:
        raise RowError(f"'reward_model' is {json_type(model)}: expected an object with ground_truth")
    extra = structure(fields.get("extra_info"))
    worked = extra.get("answer") if isinstance(extra, Mapping) else None
    rationale = split_worked(worked)[1] if isinstance(worked, str) and worked.strip() else None
    return _with_answers(question_of(fields), model["ground_truth"], "reward_model.ground_truth", rationale)


def _holder(fields: Fields) -> str | None:
    if fields.filled(ANSWER_FIELDS) is not None:
        return None
    return next((name for name in HOLDERS if isinstance(structure(fields.get(name)), Mapping)), None)


def _read_info(fields: Fields) -> Found:
    name = _holder(fields)
    assert name is not None
    info = Fields(structure(fields[name]))
    key = info.filled(_KEYS)
    if key is None:
        have = ", ".join(show(one, 30) for one in list(info.original)[:8]) or "nothing"
        raise RowError(f"no answer: '{name}' holds {have}; --answer-field {name}.KEY names one")
    return _with_answers(question_of(fields), info[key], f"{name}.{key}", None)


def _with_answers(question: Found, value: object, field: str, rationale: str | None) -> Found:
    answers = tuple(split_worked(stated_answer(one, boxes_only=True) or one)[0] for one in acceptable(value, field))
    return replace(question, answers=answers, rationale=rationale or question.rationale)


VERL = Form(
    "verl",
    "the user's turn of the prompt, and reward_model.ground_truth (verl)",
    lambda fields: "reward_model" in fields and structure(fields["reward_model"]) is not None,
    _read_verl,
)

INFO = Form(
    "info",
    "a prompt, and the answer in info or verification_info (verifiers)",
    lambda fields: _holder(fields) is not None,
    _read_info,
)
