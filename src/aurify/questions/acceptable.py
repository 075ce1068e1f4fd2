"""The acceptable answers of a question: one, or several of which any is right; and what is no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.answers.wrapped import without_wrapping
from aurify.questions.fields import Fields, is_list, json_structure, structure
from aurify.questions.gold import as_text
from aurify.questions.parts import of_record
from aurify.questions.rows import RowError, json_type, show

ACCEPTED_FIELDS = (
    "accepted", "answer_annotated", "aliases", "answer_aliases", "accepted_answers", "acceptable_answers",
    "alternative_answers",
)  # fmt: skip
"""Fields beside the answer that hold further ones."""

_MAIN = ("value", "answer", "text", "ground_truth", "target", "targets", "final_answer")
"""What an object that stands for an answer may call it: TriviaQA, SQuAD and their like."""
_MORE = ("aliases", "accepted", "alternatives")

_NONE = {
    "proof", "notfound", "not found", "not_found", "n/a", "n.a", "null", "nan", "see solution", "see the solution",
    "see above", "see below", "see explanation", "no answer", "no_answer", "not available", "not provided", "not given",
    "omitted", "tbd", "todo", "missing", "qed", "q.e.d", "answers vary", "answers may vary", "answers will vary",
    "answer varies", "varies", "…", "..", "...",
}  # fmt: skip
_BLANK = {"none", "unknown", "na", "hidden", "-", "--", "–", "—", "?", "??", "_", "__", "___"}


def acceptable(value: Any, field: str) -> tuple[str, ...]:
    """The acceptable answers that a field's value holds, in its order, each once.

    Read: a plain value, a list of such, an object such as ``{"value": "Rhine", "aliases": ["Rhein"]}``, and the JSON
    text of one of these. Of DROP's ``spans`` all are to be named. A truth value of JSON has no wording of its own, so
    ``True`` and ``yes`` both say it; the text ``True`` of a file is the wording that its questions ask for.

    Raises:
        RowError: it holds none, or is of another form.
    """
    value = json_structure(value) if not _names_answer(structure(value)) else structure(value)
    if isinstance(value, Mapping) and (record := of_record(Fields(value), field)):
        return record
    if isinstance(value, Mapping):
        values = _of_object(Fields(value), field)
    elif is_list(value):
        values = [one for item in value for one in (item if is_list(item) and len(value) == 1 else [item])]
    else:
        return _wordings(value, field)
    if not values:
        raise RowError(f"'{field}' holds no answer")
    nested = next((one for one in values if isinstance(one, (Mapping, list))), None)
    if nested is not None:
        raise RowError(f"'{field}' holds {json_type(nested)} among its answers: expected texts or numbers")
    return tuple(dict.fromkeys(wording for one in values for wording in _wordings(one, field)))


def no_answer(text: str) -> bool:
    """Whether a gold answer says that there is none to check: ``proof``, ``notfound``, ``N/A``, ``see solution``."""
    return without_wrapping(text).strip(" \t\n$()[]{}*<>\"'").removesuffix(".").casefold() in _NONE


def is_no_number(text: str) -> bool:
    """Whether an answer among numbers stands for none, though it may be one among words: ``None``, ``-``, ``?``."""
    return without_wrapping(text).strip().removesuffix(".").casefold() in _BLANK


def _names_answer(value: Any) -> bool:
    """Whether an object names an answer: a Python literal without one may be an answer itself (``{'a': 1}``)."""
    return isinstance(value, Mapping) and Fields(value).filled((*_MAIN, "spans")) is not None


def _of_object(value: Fields, field: str) -> list[Any]:
    main = value.filled(_MAIN)
    if main is None:
        have = ", ".join(show(name, 30) for name in list(value.original)[:8]) or "nothing"
        raise RowError(f"'{field}' is an object of {have}: expected an answer in it, as {', '.join(_MAIN[:4])}")
    more = value.filled(_MORE)
    return [one for name in (main, more) if name for one in (value[name] if is_list(value[name]) else [value[name]])]


def _wordings(value: Any, field: str) -> tuple[str, ...]:
    answer = _answer(value, field)
    return (answer, "yes" if value else "no") if isinstance(value, bool) else (answer,)


def _answer(value: Any, field: str) -> str:
    text = as_text(value, field)
    if no_answer(text):
        raise RowError(f"'{field}' is {show(text.strip())}: no answer that can be checked")
    if isinstance(json_structure(text), Mapping):
        raise RowError(f"'{field}' is the JSON text of an object: expected an answer")
    return text
