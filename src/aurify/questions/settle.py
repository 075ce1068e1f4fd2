"""Settles, over the rows of a file, what each gold answer is: its type, its canonical form, its option's letter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aurify.answers import Judging, answer_type
from aurify.answers.options import LETTERS, options, with_options
from aurify.questions.acceptable import is_no_number
from aurify.questions.answer_types import answer_types, canonical_gold, number_in
from aurify.questions.choices import Options, first_number, right_option
from aurify.questions.draft import Draft
from aurify.questions.gold import last_boxed, with_lead
from aurify.questions.rows import RowError, show

ROWS_LISTED = 3
"""Odd rows that are named in a note; the rest are counted."""
_LETTER = re.compile(r"[A-Ja-j]")
_OPTION = re.compile(r"\(?[A-Ja-dfghj]\)?\.?")
"""A gold answer that may name an option; e and i are numbers too."""
_ASKS_FOR_LETTER = re.compile(
    r"\b(?:letters?|grades?|points?|variables?|vert(?:ex|ices)|types?|notes?|keys?|labels?|who|person)\b", re.IGNORECASE
)
_NOTHING = "nothing"
"""In the place of a type: an answer among numbers that stands for none, or for an option that is not there."""
_ASKS_TO_CHOOSE = re.compile(
    r"\bwhich\s(?:one\s)?of\s(?:the\sfollowing|these)\b|\bof\sthe\s(?:following\s)?(?:options|choices|statements)\b"
    r"|\b(?:choose|select|pick)\s(?:the|one)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Settled:
    """What a question asks and accepts, in canonical form."""

    text: str
    answer: str
    answer_type: str
    accepted: tuple[str, ...]
    rationale: str | None
    columns: str = ""


def settled(
    drafts: Sequence[Draft], name: str, told: str | None, notes: list[str]
) -> Iterator[tuple[Draft, Settled | RowError]]:
    """Each draft with what was settled of it, or why it is a bad row.

    Args:
        name: the file, for notes.
        told: the answers' type, if the user gave one.
        notes: takes up what a user should know.
    """
    kind = answer_type(told) if told else None
    if isinstance(kind, Judging) and (line := kind.told()) is not None and line not in notes:
        notes.append(line)
    first = first_number((one.options, one.marks) for one in drafts if one.options)
    if first:
        notes.append(f"{name}: right options are given by number, counted from {first}")
    if isinstance(kind, Judging):
        yield from ((one, _judged(one, kind, first)) for one in drafts)
        return
    inferred = {} if told else _inferred(drafts, name, notes)
    for one in drafts:
        try:
            yield one, _option(one, first) if one.options else _answer(one, told, inferred.get(one.where))
        except RowError as error:
            yield one, error


def _judged(one: Draft, kind: Judging, first: int) -> Settled | RowError:
    """What a type needs that judges by the whole row, and the answer where the row has one.

    Of several options that is the right one's letter, as the question shows it; the row's own fields stay as they are.
    """
    answer, *others = one.answers or ("",)
    text = one.text
    if one.options:
        text = with_options(one.text, one.options.texts)
        with suppress(RowError):  # a row need not say which is right
            answer = answer or _letter(one.options, one.marks, first)
    if lack := kind.lacks(one.fields, answer):
        return RowError(lack)
    columns = json.dumps(dict(one.fields), default=str, ensure_ascii=True)
    return Settled(text, answer, kind.word, tuple(others), one.rationale, columns)


def _letter(asked: Options, marks: Sequence[tuple[str, Any]], first: int) -> str:
    return f"({LETTERS[right_option(asked, marks, first)]})"


def _option(one: Draft, first: int) -> Settled:
    assert one.options is not None
    letter = _letter(one.options, one.marks, first)
    text = with_options(one.text, one.options.texts)
    return Settled(text, letter, "choice", (), _finished(one.rationale, letter))


def _answer(one: Draft, told: str | None, inferred: str | None) -> Settled:
    kind = told or one.answer_type or inferred or "text"
    if kind == _NOTHING:
        blank = "among numbers: no answer that can be checked" if is_no_number(one.answers[0]) else ""
        why = blank or "but the question lists no options"
        raise RowError(f"the answer is {show(one.answers[0])}, {why} (--answers text takes it as it is)")
    letter = _OPTION.fullmatch(one.answers[0].strip())
    if kind == "math" and not told and letter and not options(one.text) and not _names_letters(one.text, letter[0]):
        raise RowError(
            f"the answer is {show(one.answers[0])}, but the question lists no options and names no such letter "
            "(--answers math, or text, takes it as it is)"
        )
    if isinstance(answer_type(kind), Judging):
        raise RowError("the row holds tests of a program: --answers code runs what the model writes against them")
    if kind == "choice" and not told and not options(one.text):
        raise RowError(
            f"the answer is {show(one.answers[0])}, but the question lists no options "
            "(--answers choice, or text, takes it as it is)"
        )
    answer, settled_kind, more = canonical_gold(one.answers[0], kind, one.text)
    others = [canonical_gold(gold, settled_kind, one.text) for gold in one.answers[1:]]
    accepted = dict.fromkeys([*more, *(gold for gold, read_as, _ in others if read_as == settled_kind)])
    return Settled(one.text, answer, settled_kind, tuple(accepted), _finished(one.rationale, answer))


def _inferred(drafts: Sequence[Draft], name: str, notes: list[str]) -> dict[str, str]:
    """The answer types, by place, of the rows that do not say their own: from those of the same task."""
    by_task: dict[str, list[Draft]] = {}
    for one in drafts:
        if one.answer_type is None and one.options is None:
            by_task.setdefault(one.task, []).append(one)
    types: dict[str, str] = {}
    for group in by_task.values():
        found = _types(group)
        types.update(zip((one.where for one in group), found, strict=True))
        odd = [one for one, kind in zip(group, found, strict=True) if kind in ("text", "math")]
        letters = [one for one in odd if _OPTION.fullmatch(one.answers[0].strip())]
        if "number" in found and odd:
            words = "text or mathematics" if "math" in found else "text"
            told = f"answers are not numbers, and are compared as {words}"
            notes.append(f"{name}: {len(odd)} of {len(group)} {told}: {_listed(odd)}")
        elif "choice" in found and letters:
            told = "answers are letters whose questions list no options that can be read, and are compared as text"
            notes.append(f"{name}: {len(letters)} of {len(group)} {told}: {_listed(letters)}")
    return types


def _listed(rows: Sequence[Draft]) -> str:
    shown = ", ".join(f"{one.where} {show(one.answers[0], 30)}" for one in rows[:ROWS_LISTED])
    return f"{shown} and {len(rows) - ROWS_LISTED} more" if len(rows) > ROWS_LISTED else shown


def _types(group: Sequence[Draft]) -> list[str]:
    golds = [one.answers[0] for one in group]
    if all(_LETTER.fullmatch(gold) for gold in golds) and not any(options(one.text) for one in group):
        return ["choice"] * len(group)  # of options that are not there
    found = answer_types(golds, [one.text for one in group])
    among_numbers = "number" in found
    return [_settled_type(one, kind, among_numbers) for one, kind in zip(group, found, strict=True)]


def _settled_type(one: Draft, kind: str, among_numbers: bool) -> str:
    if kind == "number" and not all(number_in(gold, one.text) for gold in one.answers[1:]):
        return "text"
    if kind != "text":
        return kind
    gold = one.answers[0].strip()
    missing = _OPTION.fullmatch(gold) and (
        _ASKS_TO_CHOOSE.search(one.text) or (among_numbers and (len(gold) > 1 or not _names_letters(one.text, gold)))
    )
    return _NOTHING if missing or (among_numbers and is_no_number(gold)) else kind


def _names_letters(question: str, letter: str) -> bool:
    """Whether a question asks for a letter, or holds the one that is its answer."""
    name = re.escape(letter.strip("()."))
    return bool(_ASKS_FOR_LETTER.search(question) or re.search(rf"(?<![A-Za-z]){name}(?![A-Za-z])", question))


def _finished(rationale: str | None, answer: str) -> str | None:
    """The rationale, with the answer's lead at its end where it states no answer."""
    if rationale is None or "answer is" in rationale.lower() or last_boxed(rationale) is not None:
        return rationale
    return with_lead(rationale, answer)
