"""The user's own function, named as ``module:function``: a comparison, or a reward function of TRL's form.

Which of the two it is, its signature says: a function with a parameter ``completions`` is a reward function; so is one
that takes keywords alone. Any other is a comparison and is called as ``function(predicted, gold)``.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from aurify.answers.answer_type import AnswerType
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable, refuse_long
from aurify.errors import UsageError


def load_custom(spec: str) -> Callable[..., Any]:
    """The function that ``module:function`` names; the module may lie in the current folder.

    Raises:
        UsageError: there is no such module or function, importing it fails, or a worker could not import it.
    """
    module, _, function = spec.partition(":")
    if os.getcwd() not in sys.path:  # last, so that nothing in the current folder can stand in for a library
        sys.path.append(os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        if module == "__main__" or getattr(found, "__spec__", None) is None:  # of a notebook, or made by hand
            raise UsageError(
                f"--answers {spec}: a worker process calls it, and cannot import '{module}': put the function in a "
                "file, as same_answer.py, and name it so, same_answer:same"
            )
        for name in function.split("."):
            found = getattr(found, name)
    except UsageError:
        raise
    except ImportError as error:
        raise UsageError(f"--answers {spec}: {error}") from None
    except AttributeError:
        raise UsageError(f"--answers {spec}: the module '{module}' has no function '{function}'") from None
    except Exception as error:
        raise UsageError(f"--answers {spec}: importing '{module}' raised {type(error).__name__}: {error}") from error
    if not callable(found):
        raise UsageError(f"--answers {spec}: '{function}' is not a function")
    called: Callable[..., Any] = found
    return called


def is_reward(spec: str, function: Callable[..., Any]) -> bool:
    """Whether a function is a reward function, and not a comparison, by its signature.

    Raises:
        UsageError: it can be neither.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function written in C may hide it
        return False
    if "completions" in signature.parameters:
        return True
    try:
        signature.bind("predicted", "gold")
    except TypeError:
        if any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values()):
            return True
        raise UsageError(
            f"--answers {spec}: {signature} is neither a comparison (predicted, gold) nor a reward function "
            "(completions, **columns)"
        ) from None
    return False


class Comparison(AnswerType):
    """``function(predicted, gold)``: whether the answer is right, alone or as ``(right, reason)``."""

    @classmethod
    def of(cls, spec: str) -> Comparison:
        """The type of a function, which is called in a worker."""

        def same(predicted: str, gold: str) -> Job:
            return Job("custom", predicted, gold, spec)

        return cls(spec, "a comparison of your own", lambda answer, _: _read(answer), same, in_worker=True)


def _read(answer: str) -> str:
    refuse_long(answer)
    if not answer.strip():
        raise Unreadable("empty")
    return answer.strip()
