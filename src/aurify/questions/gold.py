"""The forms in which data sets write a gold answer, and the one canonical form that each becomes."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from aurify.questions.rows import RowError, json_type, show

ANSWER_LEAD = "So the answer is"
"""What a rationale ends with, before the answer and a full stop."""

_NUMBER = re.compile(
    r"""(?P<sign>[-+−]?)[ ]?\$?[ ]?(?P<inner>-?)
    (?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?P<rest>(?:[eE][-+]?\d{1,3})?(?:[ ]?/[ ]?\d+)?[ ]?%?)
    (?:[ ]?\([^()]*\))?\.?""",
    re.VERBOSE | re.ASCII,
)
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:]?")
_STATED = re.compile(
    r"\b(?:final\s)?answer\**(?:\s+is)?(?:\s*:|\b(?<=is))\**\s+(?!is\b|not\b)([^\n]+?)\s*\Z", re.IGNORECASE
)
_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")


STATED_WITHIN = 300
"""The characters at the end of a solution that are searched for ``The answer is …``."""


def as_text(value: Any, field: str) -> str:
    """A field's value as text: numbers in plain digits (17.0 is ``17``), truth values as ``True`` and ``False``.

    Raises:
        RowError: the value is missing, empty, not finite, or no plain value.
    """
    if value is None:
        raise RowError(f"'{field}' is null: expected text or a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise RowError(f"'{field}' is {value}: expected a finite number")
    if isinstance(value, (bool, str)):
        text = str(value)
    elif isinstance(value, (int, float, Decimal)):
        text = _plain_digits(value)
    else:
        raise RowError(f"'{field}' is {json_type(value)}: expected text or a number")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RowError(f"'{field}' holds half a surrogate pair: expected valid Unicode text")
    if not text.strip():
        raise RowError(f"'{field}' is empty: expected text or a number")
    return text


def split_worked(answer: str) -> tuple[str, str | None]:
    """(gold, rationale) of an answer that shows its work and ends in a line ``#### 72``, as GSM8K's do.

    Calculator marks ``<<48/2=24>>`` are taken out, and the rationale ends in the answer's lead. An answer without
    such a line is the gold answer itself, and its rationale is None.

    Raises:
        RowError: nothing stands after the mark.
    """
    work, mark, gold = answer.rpartition("####")
    if not mark:
        work, _, last = answer.rstrip().rpartition("\n")
        mark, gold = last[:2], last[2:]
        if mark != "A:" or not work.strip():
            return answer, None
    gold = gold.strip()
    if not gold:
        raise RowError(f"nothing stands after '{mark}': expected the answer")
    work = _CALCULATOR.sub("", work).strip()
    return gold, with_lead(work, as_number(gold) or gold) if work else None


def stated_answer(text: str, *, boxes_only: bool = False) -> str | None:
    """The answer that a worked solution states: its last box, what follows ``####``, or ``The answer is …`` at its end.

    None where it states none. With ``boxes_only`` the last box alone counts.
    """
    boxed = last_boxed(text)
    if boxed is not None or boxes_only:
        return boxed
    if "####" in text:
        return split_worked(text)[0]
    found = _STATED.search(text[-STATED_WITHIN:])
    return found[1].strip().rstrip(".").strip("$* ") or None if found else None


def with_lead(rationale: str, answer: str) -> str:
    """The rationale with ``So the answer is …`` as its last line."""
    return f"{rationale.rstrip()}\n{ANSWER_LEAD} {answer}."


def as_number(text: str) -> str | None:
    """``$1,450.00`` as ``1450``, ``9 (apples)`` as ``9``, ``-1/2`` and ``45%`` as they are; None for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None or (found["sign"] and found["inner"]):
        return None
    digits = found["digits"].replace(",", "")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
        digits = "0" + digits if digits[:1] in ("", ".") else digits
    sign = "-" if found["sign"] in ("-", "−") or found["inner"] else ""
    return sign + digits + re.sub(r"\s", "", found["rest"])


def is_not_finite(text: str) -> bool:
    """Whether the text is a NaN or an infinity, as some tools write a missing number."""
    return _NOT_FINITE.fullmatch(text.strip()) is not None


def as_choice(text: str) -> str | None:
    """``B``, ``b)``, ``(B)`` and ``(B).`` as ``(B)``; None for anything else."""
    found = _LETTER.fullmatch(text.strip())
    return f"({found[1].upper()})" if found else None


def last_boxed(text: str) -> str | None:
    r"""The content of the last non-empty ``\boxed{…}``, braces matched; ``\boxed 2`` is read too."""
    for found in reversed(list(_BOX.finditer(text))):
        start, depth = found.end(), 0
        if text[start : start + 1] != "{":
            short = re.match(r"[^\s$.,{}]+", text[start:])
            if short:
                return short[0]
            continue
        for place in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                inner = text[start + 1 : place].strip()
                if inner:
                    return inner
                break
    return None


def _plain_digits(value: int | float | Decimal) -> str:
    try:
        text = str(value) if isinstance(value, int) else format(Decimal(str(value)), "f")
    except ValueError:
        raise RowError("holds an integer of more digits than can be read") from None
    return text.rstrip("0").rstrip(".") if "." in text else text


def expected_number(text: str) -> RowError:
    """The error for an answer that should be a number."""
    return RowError(f"the answer is {show(text)}: expected a number")
