"""Property: a value in any dress is right, and with a digit changed it is not (bench/verifier.py)."""

from __future__ import annotations

import pytest
from answer_pairs import QUESTION, TYPES, pairs

from aurify.answers.compare import Asked, compare, extract
from aurify.answers.math.compare import compare_latex
from aurify.answers.options import options
from aurify.answers.reading import Unreadable


def right(pred: str, gold: str, kind: str) -> tuple[bool, str]:
    """The verdict of the whole path, its algebra in this process."""
    listed = options(QUESTION) if kind == "choice" else {}
    try:
        step = compare(extract(pred, kind, listed), gold, kind, listed)
    except Unreadable as error:
        return False, str(error)
    if isinstance(step, Asked):
        word, reason = compare_latex(step.job.pred, step.job.gold)
        return word == "right", reason
    return step.right, step.reason


@pytest.mark.parametrize(("kind", "count"), [(kind, 1000 if kind == "math" else 2000) for kind in TYPES])
def test_equal_and_unequal_by_construction(kind: str, count: int) -> None:
    mistakes = [
        (pair, reason)
        for pair in pairs(kind, count)
        for is_right, reason in [right(pair.pred, pair.gold, kind)]
        if is_right != pair.equal
    ]
    assert not mistakes, (len(mistakes), mistakes[:5])
