"""The user's own function, named as ``module:function`` or ``folder/file.py:function``, or given in Python as it is.

What it is, its signature says: one of the forms of a reward function (``reward_forms``), or else a comparison, which is
called as ``function(predicted, gold)``. One that is named is called in a worker; one that is given is called in this
process, where all is that it may refer to.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aurify.answers.answer_type import AnswerType
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable, refuse_long
from aurify.errors import UsageError, close_to

ONE_FUNCTION = (
    "one function says what is right; it may call others: def both(completions, **columns): return [a + 0.5 * b for "
    "a, b in zip(first(completions, **columns), second(completions, **columns))], right from reward_threshold=1 on"
)
"""The answer to several reward functions, and to their weights."""

_given: dict[str, Callable[..., Any]] = {}
"""The functions that Python gave, by their words."""


def word_of(answers: Any) -> str | None:
    """The word of what Python has for ``--answers``: itself, or what names a function from now on in this process.

    A list of one is that one.

    Raises:
        UsageError: it is neither a word nor a function.
    """
    if isinstance(answers, list | tuple) and len(answers) == 1:
        (answers,) = answers
    if answers is None or isinstance(answers, str):
        return answers
    if not callable(answers):
        several = isinstance(answers, Iterable)
        kind = type(answers).__name__
        raise UsageError(f"answers: found a {kind}: {ONE_FUNCTION if several else 'expected a word or a function'}")
    named = answers.func if isinstance(answers, partial) else answers
    named = named if hasattr(named, "__qualname__") else type(named)
    word = f"{named.__module__}:{named.__qualname__}"
    _given[word] = answers
    return word


def is_given(word: str | None) -> bool:
    """Whether the word names a function that Python gave."""
    return word in _given


def load_custom(spec: str) -> Callable[..., Any]:
    """The function that a word names; a module may lie in the current folder.

    Raises:
        UsageError: there is no such module, file or function, importing it fails, or a worker could not import it.
    """
    if spec in _given:
        return _given[spec]
    module, _, function = spec.partition(":")
    try:
        found: Any = _of_file(module) if module.endswith(".py") else _of_module(module)
    except UsageError as error:
        raise UsageError(f"--answers {spec}: {error}") from None
    except ImportError as error:
        hint = f": a file is {module}.py:{function}" if "/" in module and Path(f"{module}.py").is_file() else ""
        raise UsageError(f"--answers {spec}: {error}{hint}") from None
    except Exception as error:
        raise UsageError(f"--answers {spec}: importing '{module}' raised {type(error).__name__}: {error}") from error
    unnamed = getattr(found, "__spec__", None) is None  # made by hand
    if module == "__main__" or "<" in function or unnamed:
        raise UsageError(
            f"--answers {spec}: by this name nobody finds a function: give it to aurify.train itself, "
            "answers=FUNCTION, also to resume; or put it in a file, and name that, same_answer.py:same"
        )
    for name in function.split("."):
        if not hasattr(found, name):
            functions = [key for key, value in vars(found).items() if callable(value)]
            meant = f": did you mean '{close}'?" if (close := close_to(name, functions)) else ""
            raise UsageError(f"--answers {spec}: the module '{module}' has no function '{function}'{meant}")
        found = getattr(found, name)
    if not callable(found):
        raise UsageError(f"--answers {spec}: '{function}' is not a function")
    called: Callable[..., Any] = found
    return called


def _of_module(name: str) -> Any:
    _look_in(os.getcwd())
    return importlib.import_module(name)


def _of_file(name: str) -> Any:
    """The module of a file, which is imported once."""
    path = Path(name).resolve()
    if not path.is_file():
        raise UsageError(f"there is no file {name}")
    own = f"{path.stem}_{blake2b(bytes(path), digest_size=8).hexdigest()}"
    if own not in sys.modules:
        _look_in(str(path.parent))
        spec = importlib.util.spec_from_file_location(own, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[own] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[own])
        except BaseException:
            del sys.modules[own]
            raise
    return sys.modules[own]


def _look_in(folder: str) -> None:
    if folder not in sys.path:  # last, so that nothing in it can stand in for a library
        sys.path.append(folder)


class Comparison(AnswerType):
    """``function(predicted, gold)``: whether the answer is right, alone or as ``(right, reason)``."""

    @classmethod
    def of(cls, spec: str) -> Comparison:
        """The type of a function."""

        def same(predicted: str, gold: str) -> Job:
            return Job("custom", predicted, gold, spec)

        about = "a comparison of your own"
        return cls(spec, about, lambda answer, _: _read(answer), same, in_worker=not is_given(spec))


def _read(answer: str) -> str:
    refuse_long(answer)
    if not answer.strip():
        raise Unreadable("empty")
    return answer.strip()
