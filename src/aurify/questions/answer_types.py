"""Which type each answer of a file has, and each gold answer in the canonical form of its type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aurify.answers import options
from aurify.answers.number import read_number
from aurify.answers.reading import Unreadable
from aurify.answers.units import is_unit
from aurify.questions.choices import comparable_text
from aurify.questions.counted import counts, speaks_of
from aurify.questions.gold import as_choice, as_number, expected_number, is_not_finite, last_boxed
from aurify.questions.mathematics import reads_as_mathematics
from aurify.questions.rows import RowError, show

_LATEX = re.compile(
    r"\\(?:[dt]?frac|sqrt|boxed|text|pi|infty|left|cdot|times|begin|circ|mathbb|log|sin|cos|tan|cup|in"
    r"|mbox|math(?:rm|bf|cal)|[dt]?binom|[lg]eq?|neq|pm|infin|overline|lfloor|lceil|emptyset|varnothing|theta|alpha|beta)"
    r"(?![a-z])|[\^_]\{"
)
_LETTERED = re.compile(r"\([A-Z]\)")
_BEGINS_NUMBER = re.compile(
    r"\s*(?:[A-Za-z]\s?=\s?|(?:about|approximately|approx\.?|around)\s|[~≈])?[\s(]*[-+−–]?\s?"
    r"(?:\\?[$€£¥₹]|Rs\.?\s|USD\s|EUR\s)?\s?[-−]?(?:\d|\.\d|\\[dt]?frac|[½⅓¼¾⅔])"
)
_MARKED = re.compile(r"\\\((.+)\\\)|\$(.+)(?<!\\)\$|\*\*(.+)\*\*", re.DOTALL)
"""A formula's marks, or bold, around the whole."""
_LETTERS = re.compile(r"[^\W\d_]")
_TIME = re.compile(r"\d\s*(?:AM|PM|am|pm|a\.m\.|p\.m\.)(?![a-z])")
_NAME_AFTER = re.compile(r"\d\s+([A-Z][a-z]+)(.*)", re.DOTALL)


def infer_answer_type(answers: Sequence[str], questions: Sequence[str] = ()) -> str:
    """The one type of a file's gold answers: ``choice``, ``number``, ``math`` or ``text``.

    Choice: every answer is ``(A)``; or every one is a letter, and the questions have lettered options; or at least
    nine in ten are ``(A)`` and all questions have options, since two BIG-Bench Hard files hold a few bare texts.
    Number: every answer is one, missing values (NaN) aside. Math: some answer is LaTeX, or all are numbers and
    mathematics (``reads_as_mathematics``). Otherwise text.
    """
    if not answers:
        return "text"
    lettered = sum(1 for answer in answers if _LETTERED.fullmatch(answer.strip()))
    have_options = bool(questions) and all(len(options(question)) > 1 for question in questions)
    if lettered == len(answers) or (have_options and lettered >= 0.9 * len(answers)):
        return "choice"
    if have_options and all(as_choice(answer) for answer in answers):
        return "choice"
    finite = [answer for answer in answers if not is_not_finite(answer)]
    if finite and all(as_number(answer) for answer in finite):
        return "number"
    formal = finite and all(as_number(answer) or reads_as_mathematics(answer) for answer in finite)
    return "math" if formal or any(_LATEX.search(answer) for answer in answers) else "text"


def answer_types(answers: Sequence[str], questions: Sequence[str]) -> list[str]:
    """The type of each gold answer of a file that does not say it.

    That is the file's one type (``infer_answer_type``) where it is choice or number. Otherwise a row whose answer is
    the letter of one of its own options is a choice. In a file of numbers every answer that can be read as a number is
    one (``12 apples``, ``1 250``, ``(-5)``), and the odd row among them is mathematics where it is LaTeX or reads so
    (``(2,8)``), else text: a name, a sentence. It is one of numbers where more than half are nothing else, or
    mathematics; and where all begin as numbers do, and one is nothing else, or a measure or price, or more than half of
    the questions speak of what is counted.
    """
    kind = infer_answer_type(answers, questions)
    if kind in ("choice", "number"):
        return [kind] * len(answers)
    rows = list(zip(answers, questions, strict=True))
    choices = [_letter(one) in options(text) for one, text in rows]
    others = [row for row, choice in zip(rows, choices, strict=True) if not choice and not is_not_finite(row[0])]
    stated = [number_in(one, text) is not None for one, text in others]
    bare = [
        as_number(one) is not None or (read and _is_measure(one)) for (one, _), read in zip(others, stated, strict=True)
    ]
    formal = (
        bare if kind == "math" else [one or reads_as_mathematics(row[0]) for one, row in zip(bare, others, strict=True)]
    )
    numbers = 2 * sum(formal) > len(others) or (
        bool(others) and all(stated) and (any(bare) or 2 * sum(counts(*row) for row in others) > len(others))
    )
    return [
        "choice" if choice else _among_numbers(*row) if numbers else kind
        for row, choice in zip(rows, choices, strict=True)
    ]


def _is_measure(answer: str) -> bool:
    """Whether nothing but a unit, a currency or signs stands beside the number: ``€12.50``, ``5 km/h``, ``(-5)``."""
    try:
        return not _LETTERS.search(_LATEX.sub("", answer)) or read_number(answer).unit is not None
    except Unreadable:
        return False


def _among_numbers(answer: str, question: str) -> str:
    if number_in(answer, question) or is_not_finite(answer):
        return "number"
    return "math" if _LATEX.search(answer) or reads_as_mathematics(answer) else "text"


def number_in(answer: str, question: str = "") -> str | None:
    """The number that a gold answer states, with a unit or a currency, in plain digits; None where it states none.

    It is read as predictions are. A name (``7 Up``) and a time of day (``5 PM``) are none; a capital letter makes no
    name of a unit (``12 Euro``), nor of what the question speaks of (``12 Birnen``), which German writes so.
    """
    marked = _MARKED.fullmatch(answer.strip())
    answer = next(filter(None, marked.groups())) if marked else answer
    found = as_number(answer)
    if found is not None:
        return found
    if not _BEGINS_NUMBER.match(answer) or _TIME.search(answer) or _is_name(answer, question):
        return None
    try:
        number = read_number(answer)
    except Unreadable:
        return None
    return None if number.factor else as_number(str(number)) or str(number)


def _is_name(answer: str, question: str) -> bool:
    """Whether a capital letter behind the number makes a name of it."""
    found = _NAME_AFTER.search(answer)
    return (
        found is not None and not (is_unit(found[1]) and not found[2].strip(" .")) and not speaks_of(found[1], question)
    )


def canonical_gold(gold: str, answer_type: str, question: str) -> tuple[str, str, tuple[str, ...]]:
    """(answer, answer type, other accepted answers) of one question.

    A choice question whose gold answer is bare text takes the letter of the option that reads so; where no single
    option does (``Monsters, Inc``, which the source's own comma splits in two), its answer is that text.

    Raises:
        RowError: the gold answer is not of the type.
    """
    if answer_type == "number":
        number = number_in(gold, question)
        if number is None:
            raise expected_number(gold)
        return number, "number", ()
    if answer_type == "choice":
        return _choice(gold, options(question))
    if answer_type == "math":
        return last_boxed(gold) or gold, "math", ()
    return gold, answer_type, ()


def _choice(gold: str, listed: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]]:
    letter = as_choice(gold)
    if letter and (letter[1] in listed or not listed):
        return letter, "choice", ()
    same = [name for name, text in listed.items() if comparable_text(text) == comparable_text(gold)]
    if len(same) == 1:
        return f"({same[0]})", "choice", (gold,)
    if letter:
        known = ", ".join(f"({name})" for name in listed)
        raise RowError(f"the answer is {letter}: expected one of the question's options, {known}")
    if listed:
        return gold, "text", ()
    raise RowError(f"the answer is {show(gold)}: expected a letter such as (A)")


def _letter(answer: str) -> str:
    """The letter that an answer is; a space, which names no option, where it is none."""
    return (as_choice(answer) or "( )")[1]
