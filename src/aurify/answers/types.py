"""The table of answer types. Another is one file that makes an ``AnswerType``, and one line here."""

from __future__ import annotations

import dataclasses
import inspect
from pkgutil import resolve_name
from typing import Any

from aurify.answers.answer_type import AnswerType
from aurify.answers.custom import ONE_FUNCTION, Comparison, is_given, load_custom
from aurify.answers.reward import Reward
from aurify.answers.reward_forms import form_of, is_comparison
from aurify.errors import UsageError, nearest
from aurify.registry import Registry

CUSTOM = "module:function"
"""How help and messages name a function of the user's own."""


class AnswerTypes(Registry[AnswerType]):
    """Answer types by word. Unlike other registries' entries they are objects: what is loaded is their class."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._found: dict[str, AnswerType] = {}
        self._functions: dict[str, tuple[Any, AnswerType]] = {}

    def of(self, word: str) -> AnswerType:
        """The type of a word, or the user's own function as one.

        Raises:
            UsageError: the word is neither, or the function cannot be imported.
        """
        if word not in self.entries and word not in self._installed():
            return self._of_function(word)
        if word not in self._found:
            self._found[word] = self._find(word)
        return self._found[word]

    def load(self, word: str) -> type[AnswerType]:
        """The class of a type, whose fields are its settings; see ``Registry.load``."""
        try:
            return type(self.of(word))
        except UsageError as error:
            raise ValueError(str(error)) from None

    def made(self, word: str, settings: object) -> AnswerType:
        """The type of a word, with its own settings as they are in ``settings``; see ``of``."""
        kind = self.of(word)
        values = {name: getattr(settings, name, None) for name in self.own(word)}
        return dataclasses.replace(kind, **{key: value for key, value in values.items() if value is not None})

    def summary(self, word: str) -> str:
        """What the type says of itself; see ``Registry.summary``."""
        try:
            return self.of(word).about
        except UsageError as error:
            raise ValueError(str(error)) from None

    def _of_function(self, word: str) -> AnswerType:
        """The type of the user's own function, made anew where a reload put another in its place."""
        if not all(word.partition(":")):
            meant = f"{word}:FUNCTION names a function in it" if word.endswith(".py") else ""
            raise UsageError(f"--answers '{word}': {meant or nearest(word, (*self.words(), CUSTOM))}")
        if "," in word and not is_given(word):
            raise UsageError(f"--answers {word}: {ONE_FUNCTION}")
        function = load_custom(word)
        if word not in self._functions or self._functions[word][0] is not function:
            self._functions[word] = function, _kind(word, function)
        return self._functions[word][1]

    def _find(self, word: str) -> AnswerType:
        found: Any
        if word in self.entries:
            found = resolve_name(self.entries[word])
        else:
            try:
                found = self._load_installed(word)
            except ValueError as error:
                raise UsageError(f"--answers {word}: {error}") from None
        if not isinstance(found, AnswerType):
            raise UsageError(f"--answers {word}: it is no AnswerType")
        return found


def _kind(word: str, function: Any) -> AnswerType:
    if form := form_of(function):
        return Reward(word, about=f"a reward function as {form.of} has them", in_worker=not is_given(word))
    if is_comparison(function):
        return Comparison.of(word)
    raise UsageError(
        f"--answers {word}: {inspect.signature(function)} is neither a comparison (predicted, gold) nor a reward "
        "function (completions, **columns), or as verl's (data_source, solution_str, ground_truth, extra_info)"
    )


ANSWER_TYPES = AnswerTypes(
    "answer type",
    "aurify.answers.answer_type:AnswerType",
    {
        "number": "aurify.answers.builtin:NUMBER",
        "choice": "aurify.answers.builtin:CHOICE",
        "text": "aurify.answers.builtin:TEXT",
        "math": "aurify.answers.builtin:MATH",
        "code": "aurify.answers.code:CODE",
        "judge": "aurify.collecting.judge:JUDGE",
    },
    group="aurify.answers",
)
"""By their words, as ``--answers`` takes them."""

ANSWERS_HELP = (
    f"{', '.join(ANSWER_TYPES.entries)} or {CUSTOM} (file.py:function), a comparison or a reward function as TRL's or "
    "verl's, which takes --reward-threshold, --reward-timeout and --reward-workers [inferred]"
)
"""The description of ``--answers``."""


def answer_type(word: str) -> AnswerType:
    """The type of a word, or the user's own ``module:function`` as one.

    Raises:
        UsageError: the word is neither, or the function cannot be imported.
    """
    return ANSWER_TYPES.of(word)
