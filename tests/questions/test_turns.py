from __future__ import annotations

import json
from typing import Any

import pytest

from aurify.questions.rows import RowError
from aurify.questions.turns import Turns, is_turns, read_turns

USER = {"role": "user", "content": "q"}


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ([USER], Turns("", "q", "")),
        ([{"role": "system", "content": "Be brief."}, USER], Turns("Be brief.", "q", "")),
        ([USER, {"role": "assistant", "content": "a"}], Turns("", "q", "a")),
        ([{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], Turns("", "q", "a")),
        ([{"role": "user", "content": [{"type": "text", "text": "q"}]}], Turns("", "q", "")),
        ([USER, {"role": "assistant", "content": None}], Turns("", "q", "")),
    ],
)
def test_conversations(turns: Any, found: Turns) -> None:
    for value in (turns, json.dumps(turns)):
        assert is_turns(value)
        assert read_turns(value, "messages") == found


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([USER, {"role": "assistant", "content": "a"}, USER], "'messages' holds 2 user turns: expected one question"),
        ([{"role": "system", "content": "x"}], "holds no user turns"),
        ([USER, {"role": "tool", "content": "x"}], "holds a turn of 'tool'"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], r"a part that is no text \('image_url'\)"),
        ([{"role": "user", "content": {"a": 1}}], "is an object"),
    ],
)
def test_what_is_no_single_question_is_refused_in_one_line(turns: Any, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        read_turns(turns, "messages")


@pytest.mark.parametrize(
    "value", ["q", [], ["q"], [{"role": "user"}], [{"content": "q"}], None, {"role": 1}, [USER, "x"]]
)
def test_other_values_are_no_conversations(value: Any) -> None:
    assert not is_turns(value)
