"""Every token that may end a sequence."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from aurify.models.eos import ending_ids, eos_ids


def test_eos_ids_are_the_union_of_all_who_name_them() -> None:
    model = nn.Module()
    model.config = SimpleNamespace(eos_token_id=4)  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=None)) == {4}
    model.generation_config = SimpleNamespace(eos_token_id=[5, 6])  # type: ignore[assignment]  # all that is read of it
    assert eos_ids(model, SimpleNamespace(eos_token_id=7)) == {4, 5, 6, 7}


@pytest.mark.parametrize(
    ("ending", "apart", "named", "expected"),
    [
        ("<a><b>", "", [2], {0, 2}),  # Command: the model stops at the second
        ("<a><b>", "", [1, 2], {0, 1, 2}),
        ("<a><b>", "", [], {0, 1}),
        ("<a>", "", [], {0, 1}),
        ("<a>", "<a>", [], {0}),  # Solar: a sample would end behind its thought
        ("<a>", "<a>", [1], {0, 1}),
        ("<a>", "<b>", [], {0, 1}),
    ],
)
def test_the_token_of_a_chat_template_that_ends_a_sample(
    ending: str, apart: str, named: list[int], expected: set[int]
) -> None:
    tokenizer = Chat(ending, apart)
    assert ending_ids([SimpleNamespace(eos_token_id=named)], tokenizer) == expected


class Chat:
    """A tokenizer of ``<eos>``, ``<a>`` and ``<b>`` whose replies end in some of them, and thoughts in others."""

    eos_token_id = 0
    all_special_ids = (0, 1, 2)
    chat_template = "its own"

    def __init__(self, ending: str, apart: str) -> None:
        self.ending, self.apart = ending, apart

    def apply_chat_template(self, messages: list[dict[str, str]], **_: Any) -> str:
        thoughts = [turn["reasoning"] + self.apart if "reasoning" in turn else "" for turn in messages]
        return "".join(
            thought + turn["content"] + self.ending for thought, turn in zip(thoughts, messages, strict=True)
        )

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        names = re.findall(r"<eos>|<a>|<b>|.", text)
        return {"input_ids": [{"<eos>": 0, "<a>": 1, "<b>": 2}.get(name, 3) for name in names]}
