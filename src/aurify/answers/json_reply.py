"""Replies that are JSON: which of an object's fields is the answer, and what is none.

Read: an object that is the whole reply, in a code fence or not, or that ends it, as ``{"answer": "D"}``, ``{"result":
5}``, ``{"answer": {"value": 5, "unit": "km"}}``, ``{'answer': 'D'}`` (Python's notation). A field that is named as an
answer comes before one that is named as a result; of two different results neither is the answer.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Mapping
from typing import Any

from aurify.answers.reading import MAX_ANSWER, Unreadable

_ANSWERS = ("finalanswer", "answer", "finalresult", "correctanswer", "myanswer", "selectedanswer", "chosenanswer",
            "predictedanswer", "bestanswer", "answerletter", "answerchoice", "answeroption", "answervalue")  # fmt: skip
"""The surest first; names are compared by their small letters alone."""
_RESULTS = frozenset(
    ("final", "result", "output", "response", "prediction", "predicted", "pred", "choice", "option", "selected",
     "selection", "selectedoption", "selectedchoice", "chosen", "chosenoption", "finalchoice", "correctoption",
     "correctchoice", "correct", "letter", "label", "solution", "conclusion", "ans", "value", "text")
)  # fmt: skip
_DENIED = frozenset(("correct", "iscorrect", "valid", "isvalid", "right"))
_FENCED = re.compile(r"```(?:json|python)?[ \t]*\n\s*(\{.*\})\s*```\s*\Z", re.DOTALL)
_FENCE = re.compile(r"```")
_OPENS = re.compile(r"^[ \t]*\{", re.MULTILINE)
_BACKSLASH = re.compile(r'(?<!\\)\\(?!["\\/])')
_PYTHONS_DECIMAL = re.compile(r"(?<=: )(-?\d+\.\d+)(?=\s?[,}])")
_DEPTH = 4
_LONGEST = 5 * MAX_ANSWER


def json_answer(text: str) -> str | None:
    """The answer of a reply that is a JSON object, or ends with one; None: it is none, or none that names an answer.

    Raises:
        Unreadable: the object's answer is empty, or there are two, or it calls it wrong.
    """
    found = _last_object(text.strip())
    return None if found is None else _answer(found, _DEPTH)


def json_fields(text: str) -> Mapping[Any, Any] | None:
    """The object that a whole text spells, as JSON or as Python writes it; None: none."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _LONGEST:
        return None
    for spelled in dict.fromkeys((text, _BACKSLASH.sub(r"\\\\", text))):  # LaTeX whose backslashes nobody escaped
        try:
            found = json.loads(spelled, parse_float=str, parse_int=str, parse_constant=str)  # no digit is lost
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and not _has_control_characters(found):
            return found
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes
            found = ast.literal_eval(_PYTHONS_DECIMAL.sub(r"'\1'", text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, dict) else None


def _last_object(text: str) -> Mapping[Any, Any] | None:
    if text.endswith("```"):
        fences = [fence.start() for fence in _FENCE.finditer(text)]
        fenced = _FENCED.match(text, fences[-2]) if len(fences) > 1 else None
        return json_fields(fenced[1]) if fenced else None
    if not text.endswith("}"):
        return None
    opened = [found.start() for found in _OPENS.finditer(text)]
    for start in dict.fromkeys([*opened[:1], *opened[-1:], text.rfind("{")]):
        found = json_fields(text[start:])
        if found is not None:
            return found
    return None


def _answer(fields: Mapping[Any, Any], depth: int) -> str | None:
    plain = {re.sub(r"[^a-z]", "", str(name).lower()): value for name, value in fields.items()}
    if any(plain.get(name) is False for name in _DENIED):
        raise Unreadable("a JSON object that calls its answer wrong")
    name = next((name for name in _ANSWERS if name in plain), None)
    if name is not None:
        return _value(plain[name], plain, depth)
    found = dict.fromkeys(_value(value, plain, depth) for name, value in plain.items()
                          if name in _RESULTS and not isinstance(value, bool))  # fmt: skip
    if len(found) > 1:
        raise Unreadable("a JSON object that names two results")
    return next(iter(found), None)


def _value(value: Any, beside: Mapping[str, Any], depth: int) -> str:
    if isinstance(value, Mapping):
        inner = _answer(value, depth - 1) if depth else None
        if inner is None:
            raise Unreadable("a JSON object whose answer is an object of other things")
        return inner
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, (Mapping, list, tuple)) for item in value):
            raise Unreadable("a JSON list of more than values")
        return ", ".join(_value(item, {}, depth) for item in value)
    text = "" if value is None else str(value).strip()
    if not text:
        raise Unreadable("a JSON object whose answer is empty")
    unit = beside.get("unit", beside.get("units"))
    return f"{text} {unit}" if isinstance(unit, str) and unit.strip() and text[-1:].isdigit() else text


def _has_control_characters(value: Any) -> bool:
    if isinstance(value, str):
        return any(ord(c) < 32 and c not in "\n" for c in value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_has_control_characters(part) for part in parts)
