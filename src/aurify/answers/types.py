"""The table of answer types. Another is one file that makes an ``AnswerType``, and one line here."""

from __future__ import annotations

from pkgutil import resolve_name

from aurify.answers.answer_type import AnswerType
from aurify.answers.custom import load_custom
from aurify.answers.pool import Job
from aurify.answers.reading import MAX_ANSWER, Unreadable
from aurify.errors import UsageError, nearest

_ENTRIES = {
    "number": "aurify.answers.builtin:NUMBER",
    "choice": "aurify.answers.builtin:CHOICE",
    "text": "aurify.answers.builtin:TEXT",
    "math": "aurify.answers.builtin:MATH",
}

ANSWER_TYPES: dict[str, AnswerType] = {word: resolve_name(place) for word, place in _ENTRIES.items()}
"""By their words, as ``--answers`` takes them."""

CUSTOM = "module:function"
"""How help and messages name a comparison of the user's own."""


def answer_type(word: str) -> AnswerType:
    """The type of a word, or the user's own comparison of a ``module:function``, which is not imported here.

    Raises:
        UsageError: the word is neither.
    """
    module, colon, function = word.partition(":")
    if colon and module and function:
        return _custom(word)
    if word not in ANSWER_TYPES:
        raise UsageError(f"--answers '{word}': {nearest(word, (*ANSWER_TYPES, CUSTOM))}")
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


def _custom(spec: str) -> AnswerType:
    def read(answer: str) -> str:
        if len(answer) > MAX_ANSWER:
            raise Unreadable(f"longer than {MAX_ANSWER} characters")
        if not answer.strip():
            raise Unreadable("empty")
        return answer.strip()

    def same(predicted: str, gold: str) -> Job:
        return Job("custom", predicted, gold, spec)

    return AnswerType(spec, "a comparison of your own", lambda answer, _: read(answer), same, in_worker=True)
