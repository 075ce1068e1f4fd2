"""Work that cannot do without gold answers, or without a vote, says so in one line."""

from __future__ import annotations

import pytest

from aurify.errors import UsageError
from aurify.questions import Question
from aurify.questions.needs import lacking_answer, need_answers, need_votes

WITH = Question("a", "?", "7", "number", where="f:1")
WITHOUT = Question("b", "?", "", "lengths_of_mine:length", where="f:2")


def test_gold_answers():
    assert lacking_answer([WITH]) is None
    need_answers([WITH], "direct")
    with pytest.raises(UsageError, match=r"direct needs gold answers, and f:2 has none"):
        need_answers([WITH, WITHOUT], "direct")


def test_votes(tmp_path, monkeypatch):
    (tmp_path / "lengths_of_mine.py").write_text("def length(completions, **columns):\n    return [1.0]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    need_votes([WITH], "vote")
    with pytest.raises(UsageError, match="vote: a vote compares answers, and --answers lengths_of_mine:length judges"):
        need_votes([WITH, WITHOUT], "vote")
