"""An answer of several parts, all of which are to be named, in any order: DROP's spans, NumGLUE's, OlympiadBench's.

Comparison knows one text, so the parts are written out in every order and with the words that join a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from aurify.questions.fields import Fields, is_list
from aurify.questions.gold import as_text
from aurify.questions.rows import RowError

MOST_PARTS = 4
"""Parts that are compared in any order: 24 orders."""
_JOINTS = (", ", " and ", ", and ")
"""What may stand before the last part."""
_DATE = ("day", "month", "year")


def in_any_order(parts: Sequence[str], field: str) -> tuple[str, ...]:
    """The acceptable answers that name all parts; a single part is itself the answer.

    Raises:
        RowError: there are more than can be written out.
    """
    parts = list(dict.fromkeys(part.strip() for part in parts))
    if len(parts) > MOST_PARTS:
        raise RowError(
            f"'{field}' holds {len(parts)} parts of one answer: at most {MOST_PARTS} are compared in any order "
            "(--answers module:function compares more)"
        )
    if len(parts) < 2:
        return tuple(parts)
    return tuple(f"{', '.join(first)}{joint}{last}" for joint in _JOINTS for *first, last in permutations(parts))


def of_record(value: Fields, field: str) -> tuple[str, ...]:
    """The acceptable answers of a record as DROP has it: ``number``, or ``spans``, or ``date``; empty: it is none.

    Raises:
        RowError: a part is no plain value, or there are too many.
    """
    if "spans" not in value and not {"number", "date"} <= set(value):
        return ()
    number, spans, date = value.get("number"), value.get("spans"), value.get("date")
    if number not in (None, ""):
        return (as_text(number, field),)
    if is_list(spans) and spans:
        texts = [as_text(one, field).strip() for one in spans]
        return tuple(dict.fromkeys(texts)) if _of_annotators(texts, value) else in_any_order(texts, field)
    return _dates(Fields(date), field) if isinstance(date, dict) else ()


def _of_annotators(spans: Sequence[str], value: Fields) -> bool:
    """Whether the spans are the wordings of several annotators, as where DROP was validated, and not parts.

    A number or a date is one answer by itself, and no part of an answer holds another.
    """
    kinds = value.get("types")
    single = isinstance(kinds, Sequence) and bool({"number", "date"} & set(kinds))
    words = sorted({span.casefold() for span in spans}, key=len)
    return single or any(one in longer for place, one in enumerate(words) for longer in words[place + 1 :])


def _dates(date: Fields, field: str) -> tuple[str, ...]:
    """A date, wholly or in part, as ``5 May 1990`` and ``May 5, 1990``."""
    said = {name: as_text(date[name], field).strip() for name in _DATE if date.get(name) not in (None, "")}
    if not said:
        return ()
    texts = [" ".join(said.values())]
    if len(said) == len(_DATE):
        texts += [f"{said['month']} {said['day']}, {said['year']}", f"{said['month']} {said['day']} {said['year']}"]
    return tuple(texts)
