"""Which type a file's answers have, and each gold answer in the canonical form of its type."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aurify.errors import UsageError, nearest
from aurify.questions.gold import (
    as_choice,
    as_number,
    expected_number,
    is_not_finite,
    last_boxed,
    option_with_text,
    options,
)
from aurify.questions.rows import RowError, show

ANSWER_TYPES = ("number", "choice", "text", "math")

_LATEX = re.compile(
    r"\\(?:[dt]?frac|sqrt|boxed|text|pi|infty|left|cdot|times|begin|circ|mathbb|log|sin|cos|tan|cup|in)(?![a-z])|[\^_]\{"
)
_LETTERED = re.compile(r"\([A-Z]\)")


def check_answer_type(word: str) -> str:
    """The word itself, if it names an answer type or a user's ``module:function``.

    Raises:
        UsageError: it does neither.
    """
    module, colon, function = word.partition(":")
    if word in ANSWER_TYPES or (colon and module and function):
        return word
    raise UsageError(f"--answers '{word}': {nearest(word, [*ANSWER_TYPES, 'module:function'])}")


def infer_answer_type(answers: Sequence[str], questions: Sequence[str] = ()) -> str:
    """The type of a file's gold answers: ``choice``, ``number``, ``math`` or ``text``.

    Choice: every answer is ``(A)``; or every one is a letter, and the questions have lettered options; or at least
    nine in ten are ``(A)`` and all questions have options, since two BIG-Bench Hard files hold a few bare texts.
    Number: every answer is one, missing values (NaN) aside. Math: some answer is LaTeX. Otherwise text.
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
    return "math" if any(_LATEX.search(answer) for answer in answers) else "text"


def canonical(gold: str, answer_type: str, question: str) -> tuple[str, str, tuple[str, ...]]:
    """(answer, answer type, other accepted answers) of one question.

    A choice question whose gold answer is bare text takes the letter of the option that reads so; where no single
    option does (``Monsters, Inc``, which the source's own comma splits in two), its answer is that text.

    Raises:
        RowError: the gold answer is not of the type.
    """
    if answer_type == "number":
        number = as_number(gold)
        if number is None:
            raise expected_number(gold)
        return number, "number", ()
    if answer_type == "choice":
        return _choice(gold, question)
    if answer_type == "math":
        return last_boxed(gold) or gold, "math", ()
    return gold, answer_type, ()


def _choice(gold: str, question: str) -> tuple[str, str, tuple[str, ...]]:
    letters = options(question)
    letter = as_choice(gold)
    by_text = option_with_text(gold, question)
    if letter and (letter in letters or not letters):
        return letter, "choice", ()
    if by_text:
        return by_text, "choice", (gold,)
    if letter:
        raise RowError(f"the answer is {letter}: expected one of the question's options, {', '.join(letters)}")
    if letters:
        return gold, "text", ()
    raise RowError(f"the answer is {show(gold)}: expected a letter such as (A)")
