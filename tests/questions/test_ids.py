from __future__ import annotations

import pytest

from aurify.questions.ids import Ids, made_id
from aurify.questions.rows import RowError


def test_made_ids_never_change() -> None:
    assert made_id("gsm8k", "1 + 1?") == "gsm8k-9adf51f54831"
    assert made_id("Counting & Probability", "q").startswith("counting-probability-")
    assert made_id("数学", "q").startswith("question-")
    assert made_id("a", "bc") != made_id("ab", "c")


def test_repeated_questions_get_a_suffix() -> None:
    ids = Ids()
    first, second, third = (ids.take(None, "t", "q", f"f:{line}") for line in (1, 2, 3))
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_a_given_id_occurs_once() -> None:
    ids = Ids()
    assert ids.take("a", "t", "q", "f:1") == "a"
    with pytest.raises(RowError, match="the id 'a' occurs at f:1 already"):
        ids.take("a", "t", "other", "f:2")
