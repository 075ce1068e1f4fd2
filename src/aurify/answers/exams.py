"""The tests that rows of question files hold: HumanEval's form (``test``, ``entry_point``), MBPP's (``test_list``)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from aurify.sandbox.trial import Exam


def exam_of(columns: Mapping[str, Any]) -> Exam:
    """What a program has to pass.

    Raises:
        ValueError: the row holds no tests of these forms.
    """
    if is_humaneval(columns):
        call = str(columns["entry_point"])
        if not call.isidentifier() or "check" not in _defined(str(columns["test"])):
            raise ValueError("'test' defines no check(candidate), or 'entry_point' is no name")
        return Exam((str(columns["prompt"]),), (), (str(columns["test"]),), call)
    if is_mbpp(columns):
        tests = [str(one) for name in ("test_list", "challenge_test_list") for one in columns.get(name) or ()]
        imports = columns.get("test_imports") or ()
        setup = [*map(str, imports), str(columns.get("test_setup_code") or "")]
        if not tests:
            raise ValueError("'test_list' is empty: nothing tells a right program from a wrong one")
        for one in tests:
            _defined(one)
        return Exam((), tuple(part for part in setup if part.strip()), tuple(tests))
    raise ValueError("no tests: expected prompt, entry_point and test (HumanEval), or test_list (MBPP)")


def is_humaneval(columns: Mapping[str, Any]) -> bool:
    """Whether a row has HumanEval's columns."""
    return all(isinstance(columns.get(name), str) for name in ("prompt", "entry_point", "test"))


def is_mbpp(columns: Mapping[str, Any]) -> bool:
    """Whether a row has MBPP's columns."""
    return isinstance(columns.get("test_list"), list)


def _defined(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"a test is no Python: {error}") from None
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
