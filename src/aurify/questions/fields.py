"""Recognises the fields of a row: which is the question, which the answer, and what else is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aurify.errors import nearest
from aurify.questions.gold import as_number, as_text, last_boxed, split_worked
from aurify.questions.rows import Row, RowError, kind, show

QUESTION_FIELDS = ("problem", "question_concat", "question", "squestion", "input", "query", "prompt")
"""MATH and the word-problem sets, SVAMP on the hub, GSM8K, MultiArith's source, BIG-Bench Hard, and common names."""

ANSWER_FIELDS = ("answer", "target", "final_ans", "final_answer", "lsolutions", "gold", "ground_truth")
"""GSM8K and most others, BIG-Bench Hard, MultiArith on the hub, MultiArith's source, GSM8K's model solutions."""

ID_FIELDS = ("id", "unique_id", "qid", "question_id")


@dataclass(frozen=True)
class Draft:
    """A row whose fields are recognised, but whose answer is still in the form of the file."""

    where: str
    text: str
    gold: str
    answer_type: str | None
    """What the row itself says of its answer's type; None where the answers of the file must tell."""
    id: str | None
    task: str
    level: str
    rationale: str | None
    accepted: tuple[str, ...]


def draft(row: Row, task: str, question_field: str | None = None, answer_field: str | None = None) -> Draft | None:
    """The row's question and answer; None where the row says that it must not be used (``in_train``).

    Raises:
        RowError: a field is missing, empty or of the wrong type.
    """
    fields: dict[str, Any] = {}
    for name, value in row.fields.items():
        fields.setdefault(str(name).lower(), value)
    if str(fields.get("in_train")).lower() == "true":
        return None
    text = _question(row, fields, question_field)
    raw, answer_type = _answer(row, fields, answer_field)
    gold, rationale = split_worked(raw)
    solution = fields.get("rationale", fields.get("solution"))
    if rationale is None and isinstance(solution, str) and solution.strip():
        rationale = as_text(solution, "solution")
    return Draft(
        where=row.where,
        text=text,
        gold=gold.strip(),
        answer_type=_declared(fields) or answer_type,
        id=_given_id(fields),
        task=_task(fields, task),
        level=_label(fields.get("level"), "level"),
        rationale=rationale,
        accepted=_accepted(fields),
    )


def _question(row: Row, fields: dict[str, Any], chosen: str | None) -> str:
    name = _name(row, fields, chosen, QUESTION_FIELDS, "question")
    value = _get(row, fields, name)
    if not isinstance(value, str):
        raise RowError(f"'{name}' is {kind(value)}: expected the question as text")
    text = as_text(value, name)
    body = fields.get("body")
    if name == "question" and chosen is None and isinstance(body, str) and body.strip():
        return f"{as_text(body, 'body').strip()} {text}"
    return text


def _answer(row: Row, fields: dict[str, Any], chosen: str | None) -> tuple[str, str | None]:
    """The gold answer as text, and the type that the row's form tells, if it tells one."""
    if chosen is None and "answer_number" in fields:  # ASDiv: null where the answer is no single number
        number = fields["answer_number"]
        if number is not None:
            return as_text(number, "answer_number"), "number"
        stated = as_text(fields.get("answer"), "answer")
        return stated, "number" if as_number(stated) else "text"
    solution = fields.get("solution")
    boxed = last_boxed(solution) if isinstance(solution, str) else None
    is_math = boxed is not None or (
        "problem" in fields and "level" in fields and bool({"type", "subject"} & set(fields))
    )
    if chosen is None and boxed is not None and not any(name in fields for name in ANSWER_FIELDS):
        return boxed, "math"
    name = _name(row, fields, chosen, ANSWER_FIELDS, "answer")
    value = _get(row, fields, name)
    if name == "lsolutions" and isinstance(value, list):
        value = value[0] if value else None
    return as_text(value, name), "math" if is_math else None


def _name(row: Row, fields: dict[str, Any], chosen: str | None, known: tuple[str, ...], what: str) -> str:
    if chosen is not None:
        if chosen in row.fields or chosen.lower() in fields:
            return chosen
        raise RowError(f"no field '{chosen}': {nearest(chosen, row.fields)}")
    for name in known:
        if name in fields:
            return name
    have = ", ".join(show(name, 30) for name in list(row.fields)[:12]) or "no field at all"
    raise RowError(f"no {what}: expected a field named {', '.join(known)}, found {have}; --{what}-field names another")


def _get(row: Row, fields: dict[str, Any], name: str) -> Any:
    return row.fields[name] if name in row.fields else fields[name.lower()]


def _declared(fields: dict[str, Any]) -> str | None:
    declared = fields.get("answer_type")
    return declared if declared in ("number", "choice", "text", "math") else None


def _given_id(fields: dict[str, Any]) -> str | None:
    for name in ID_FIELDS:
        value = fields.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise RowError(f"'{name}' is {kind(value)}: expected text or a whole number")
        return as_text(value, name)
    return None


def _task(fields: dict[str, Any], default: str) -> str:
    """A row's own task; MATH's is the subject."""
    own = fields.get("task")
    if own is None and "problem" in fields and "level" in fields:
        own = fields.get("subject", fields.get("type"))
    return _label(own, "task") or default


def _label(value: Any, field: str) -> str:
    """A label's text; empty where there is none."""
    return as_text(value, field).strip() if isinstance(value, (str, int)) and str(value).strip() else ""


def _accepted(fields: dict[str, Any]) -> tuple[str, ...]:
    value = fields.get("accepted", fields.get("answer_annotated"))
    if value is None:
        return ()
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(as_text(one, "accepted") for one in values)
