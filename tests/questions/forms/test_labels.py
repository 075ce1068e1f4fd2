from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aurify.questions import LoadedQuestions

Load = Callable[..., LoadedQuestions]

USER = {"role": "user", "content": "What is 1 + 2?"}


def test_an_answer_as_text_in_label(load: Load) -> None:
    found = load({"prompt": [USER], "label": "3", "metadata": {"rm_type": "math"}}, {"input": "1 + 3?", "label": "4"})
    assert [(one.text, one.answer) for one in found] == [("What is 1 + 2?", "3"), ("1 + 3?", "4")]
    assert found.forms == {"label": 2}


@pytest.mark.parametrize(
    "row",
    [
        {"sentence": "A great film.", "label": 1},  # the number of a class
        {"prompt": "1 + 2?", "completion": "3", "label": True},
        {"prompt": "1 + 2?", "response": "3", "label": "good"},
        {"prompt": "1 + 2?", "label": " "},
        {"text": "A great film.", "label": "positive"},
    ],
)
def test_other_labels_are_no_answers(load: Load, row: dict[str, Any]) -> None:
    assert len(load(row)) == 0


def test_options_go_before(load: Load) -> None:
    found = load({"question": "Which barks?", "choices": ["cat", "dog"], "label": "B"})
    assert (found[0].answer, found.forms) == ("(B)", {"options": 1})
