"""The table of answer types. Another is one file that makes an ``AnswerType``, and one line here."""

from __future__ import annotations

from aurify.answers import latex
from aurify.answers.answer_type import AnswerType
from aurify.answers.choice import read_choice, same_choice
from aurify.answers.custom import load_custom
from aurify.answers.number import read_number, same_number
from aurify.answers.pool import Job
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.answers.words import read_words, words_key
from aurify.errors import UsageError, nearest


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


_NUMBER = AnswerType(
    "number",
    "numbers as people write them, compared exactly",
    lambda answer, _: read_number(answer).with_unit(),
    lambda predicted, gold: same_number(read_number(predicted), read_number(gold)),
)
_CHOICE = AnswerType(
    "choice",
    "the letter of an option, or its text",
    read_choice,
    lambda predicted, gold: "the same choice" if same_choice(predicted, gold) else None,
)
_TEXT = AnswerType(
    "text",
    "words, equal but for case, quotes and final punctuation",
    lambda answer, _: read_words(answer),
    lambda predicted, gold: "the same words" if words_key(predicted) == words_key(gold) else None,
)
_MATH = AnswerType(
    "math",
    "LaTeX or plain notation, compared by computer algebra in a process that can be killed",
    lambda answer, _: _read_latex(answer),
    _same_latex,
    _to_parse,
    in_worker=True,
)

ANSWER_TYPES: dict[str, AnswerType] = {
    entry.word: entry
    for entry in (
        _NUMBER,
        _CHOICE,
        _TEXT,
        _MATH,
    )
}
"""By their words, as ``--answers`` takes them."""

OWN = "module:function"
"""How help and messages name a comparison of the user's own."""


def answer_type(word: str) -> AnswerType:
    """The type of a word, or the user's own comparison of a ``module:function``, which is not imported here.

    Raises:
        UsageError: the word is neither.
    """
    module, colon, function = word.partition(":")
    if colon and module and function:
        return _own(word)
    if word not in ANSWER_TYPES:
        raise UsageError(f"--answers '{word}': {nearest(word, (*ANSWER_TYPES, OWN))}")
    return ANSWER_TYPES[word]


def check_answer_type(word: str) -> str:
    """The word itself, where it names a type or a function that can be imported.

    Raises:
        UsageError: it does neither.
    """
    answer_type(word)
    if ":" in word:
        load_custom(word)
    return word


def _own(spec: str) -> AnswerType:
    def read(answer: str) -> str:
        if len(answer) > MAX_ANSWER:
            raise Unreadable(f"longer than {MAX_ANSWER} characters")
        if not answer.strip():
            raise Unreadable("empty")
        return answer.strip()

    def same(predicted: str, gold: str) -> Job:
        return Job("custom", predicted, gold, spec)

    return AnswerType(spec, "a comparison of your own", lambda answer, _: read(answer), same, in_worker=True)
