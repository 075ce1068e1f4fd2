"""The forms in which data sets write a gold answer, and the one canonical form that each becomes."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from aurify.answers.boxes import BOX, box_at, closing_braces
from aurify.answers.extract import stated
from aurify.answers.reading import Unreadable
from aurify.answers.statements import HASHED_HEADING
from aurify.answers.thought import after_thought, in_answer_tags
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
_BOX = re.compile(BOX)

BARE_SOLUTION = 100
"""The longest solution, in characters, that may itself be the answer (s1K)."""
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

    Calculator marks ``<<48/2=24>>`` are taken out, and the rationale ends in the answer's lead. What MetaMath repeats
    below that line (``The answer is: 72``) is left out. An answer without such a line is the gold answer itself, and
    its rationale is None.

    Raises:
        RowError: nothing stands after the mark.
    """
    found = _marked(answer)
    if found is None:
        return answer, None
    work, gold = _CALCULATOR.sub("", found[0]).strip(), found[1]
    return gold, with_lead(work, as_number(gold) or gold) if work else None


def _marked(answer: str) -> tuple[str, str] | None:
    """(work, gold) around the mark; None: there is none, or but a heading of Markdown, or it is within a thought."""
    said = _after_thought(answer)
    if said is None:
        return None
    thought = answer[: len(answer) - len(said)]
    work, mark, gold = said.rpartition("####")
    if mark:
        line, _, below = gold.strip().partition("\n")
        if below.strip() and HASHED_HEADING.match(line):
            return None
        gold = line
    else:
        work, _, last = said.rstrip().rpartition("\n")
        mark, gold = last[:2], last[2:]
        if mark != "A:" or not work.strip():
            return None
    if not gold.strip():
        raise RowError(f"nothing stands after '{mark}': expected the answer")
    return thought + work, gold.strip()


def stated_answer(text: str, *, boxes_only: bool = False) -> str | None:
    """The answer that a worked solution states: its last box, what follows ``####``, or ``The answer is …`` at its end.

    A thought that comes before the solution states none, and of ``<answer>`` tags the content is the solution. None
    where it states none. With ``boxes_only`` the last box alone counts.
    """
    said = _after_thought(text)
    if said is None:
        return None
    tagged = in_answer_tags(said)
    said = said if tagged is None else tagged
    boxed = last_boxed(said)
    if boxed is not None or boxes_only:
        return boxed
    marked = _marked(said) if "####" in said else None
    if marked is not None:
        return marked[1]
    found = _STATED.search(said[-STATED_WITHIN:])
    answer = _within_marks(_first_sentence(found)) if found else ""
    return answer or (tagged.strip() if tagged is not None else None)


def _first_sentence(found: re.Match[str]) -> str:
    """What is stated, read as a rationale's answer is: without the remarks behind it."""
    try:
        return stated(found[0], "text")
    except Unreadable:
        return found[1]


def _within_marks(answer: str) -> str:
    """Without a full stop, emphasis, and the dollars around one formula: of ``$2$ and $3$`` they are not around it."""
    answer = answer.strip().rstrip(".").strip("* ")
    dollars = len(answer) > 2 and answer[0] == answer[-1] == "$" and "$" not in answer.strip("$")
    return answer.strip("$ ") if dollars else answer


def answer_in(text: str) -> tuple[str, str | None]:
    """(gold, rationale) of an answer's field: a bare answer, or a whole solution that states one.

    Raises:
        RowError: its thought is never closed, or no answer is stated behind it.
    """
    gold, work = split_worked(text)
    if work is not None or gold != text:
        return gold, work
    said = (_after_thought(text) or "").strip()
    if not said:
        raise RowError("a thought is never closed, or nothing stands behind it: expected an answer there")
    stated = stated_answer(text)
    bare = len(said) <= BARE_SOLUTION and "\n" not in said
    if stated is None and said != text.strip():
        if not bare:
            raise RowError("behind its thought the solution states no answer (in a box or after 'the answer is')")
        return said, text
    if stated is None or (bare and last_boxed(said) is not None):  # which its type reads
        return text, None
    return stated, None if bare and said == text.strip() else text


def _after_thought(text: str) -> str | None:
    """What follows the thought of a text; None: it is never closed."""
    try:
        return after_thought(text)
    except Unreadable:
        return None


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
    boxes = list(_BOX.finditer(text))
    closing = closing_braces(text) if boxes else {}
    for found in reversed(boxes):
        box = box_at(text, found, closing)
        if content := text[box.begin : box.finish].strip():
            return content
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
