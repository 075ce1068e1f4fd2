"""The user's own comparison, named as ``module:function``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from aurify.errors import UsageError

Compare = Callable[[str, str], "bool | tuple[bool, str]"]
"""``function(pred, gold)``: whether the answer is right, alone or with the reason."""


def load_custom(spec: str) -> Compare:
    """The function that ``module:function`` names; the module may lie in the current folder.

    Raises:
        UsageError: there is no such module or function, or importing it fails.
    """
    module, _, function = spec.partition(":")
    if os.getcwd() not in sys.path:  # last, so that nothing in the current folder can stand in for a library
        sys.path.append(os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for name in function.split("."):
            found = getattr(found, name)
    except ImportError as error:
        raise UsageError(f"--answers {spec}: {error}") from None
    except AttributeError:
        raise UsageError(f"--answers {spec}: the module '{module}' has no function '{function}'") from None
    except Exception as error:
        raise UsageError(f"--answers {spec}: importing '{module}' raised {type(error).__name__}: {error}") from error
    if not callable(found):
        raise UsageError(f"--answers {spec}: '{function}' is not a function")
    compare: Compare = found
    return compare
