"""The answer types that are there from the start: numbers, choices, texts and mathematics."""

from __future__ import annotations

from aurify.answers import latex
from aurify.answers.answer_type import AnswerType
from aurify.answers.choice import read_choice, same_choice
from aurify.answers.number import read_number
from aurify.answers.pool import Job
from aurify.answers.same_number import same_number
from aurify.answers.words import read_words, same_words


def _same_latex(predicted: str, gold: str) -> str | Job | None:
    ours, theirs = latex.tidy(predicted), latex.tidy(gold)
    written = latex.compare_written(ours, theirs)
    return Job("math", ours, theirs) if written is None else written or None


def _to_parse(answer: str) -> Job | None:
    tidied = latex.tidy(answer)
    return None if latex.is_number(tidied) else Job("math", tidied, tidied)


def _read_latex(answer: str) -> str:
    latex.tidy(answer)
    return answer.strip()


NUMBER = AnswerType(
    "number",
    "numbers as people write them, compared exactly",
    lambda answer, _: read_number(answer).with_unit(),
    lambda predicted, gold: same_number(read_number(predicted), read_number(gold)),
)
CHOICE = AnswerType(
    "choice",
    "the letter of an option, or its text",
    read_choice,
    lambda predicted, gold: "the same choice" if same_choice(predicted, gold) else None,
)
TEXT = AnswerType(
    "text",
    "words, equal but for case, quotes and final punctuation",
    lambda answer, _: read_words(answer),
    lambda predicted, gold: "the same words" if same_words(predicted, gold) else None,
)
MATH = AnswerType(
    "math",
    "LaTeX or plain notation, compared by computer algebra in a process that can be killed",
    lambda answer, _: _read_latex(answer),
    _same_latex,
    _to_parse,
    in_worker=True,
)
