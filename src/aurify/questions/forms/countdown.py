"""Countdown: numbers, and a target that an equation of them must make. The target is no answer, so rows are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from aurify.questions.fields import Fields, structure
from aurify.questions.forms.form import ANSWER_FIELDS, Form
from aurify.questions.forms.rewarded import HOLDERS
from aurify.questions.gold import as_number
from aurify.questions.rows import RowError

_NUMBERS = ("nums", "numbers")
_LISTED = re.compile(r"\s*\[\s*-?\d[\d.]*(?:\s*,\s*-?\d[\d.]*)+\s*\]\s*")


def _is_countdown(value: Any) -> bool:
    """Whether an object holds a number as its target, and a list of numbers."""
    if not isinstance(value, Mapping):
        return False
    fields = value if isinstance(value, Fields) else Fields(value)
    return _is_number(fields.get("target")) and any(_are_numbers(fields.get(name)) for name in _NUMBERS)


def _fits(fields: Fields) -> bool:
    """Whether the row is one, or what stands for its answer is; one with another answer is read by that."""
    model = structure(fields.get("reward_model"))
    if isinstance(model, Mapping) and "ground_truth" in model:
        return _is_countdown(structure(model["ground_truth"]))
    answer = fields.filled([name for name in ANSWER_FIELDS if name != "target"])
    if answer is not None:
        return _is_countdown(structure(fields[answer]))
    return any(map(_is_countdown, (fields, *(structure(fields.get(name)) for name in HOLDERS))))


def _read(fields: Fields) -> NoReturn:
    raise RowError(
        "'target' is what an equation of the numbers must make, and no answer to compare with: --answers "
        "module:function judges equations (a reward function, as in examples/own_reward.py); --answer-field target "
        "takes it as the answer"
    )


def _is_number(value: Any) -> bool:
    spelled = isinstance(value, str) and as_number(value) is not None
    return spelled or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _are_numbers(value: Any) -> bool:
    if isinstance(value, str):
        return _LISTED.fullmatch(value) is not None
    return isinstance(value, Sequence) and len(value) > 1 and all(map(_is_number, value))


COUNTDOWN = Form("countdown", "numbers and the target of an equation: needs a reward function", _fits, _read)
