from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from aurify.questions import LoadedQuestions, load_questions

ASKED, ANSWERED = (
    {"from": "human", "value": "What is half of 9?"},
    {"from": "assistant", "ground_truth": {"value": "4.5"}},
)
UNREAD = {"from": "assistant", "value": "Let me see. " * 20}


def test_rows_that_are_lists_of_turns(tmp_path: Path) -> None:
    file = tmp_path / "orz.json"
    file.write_text(json.dumps([[ASKED, ANSWERED], [{"from": "system", "value": "Be brief."}, ASKED, ANSWERED]]))
    found = load_questions(file)
    assert [(one.text, one.answer) for one in found] == [
        ("What is half of 9?", "4.5"), ("Be brief.\n\nWhat is half of 9?", "4.5"),
    ]  # fmt: skip
    assert found.forms == {"graded-turns": 2}


def test_turns_in_columns_named_by_their_numbers(load: Callable[..., LoadedQuestions]) -> None:
    found = load({"0": {**ASKED, "ground_truth": None}, "1": {**ANSWERED, "value": None}})
    assert [(one.text, one.answer) for one in found] == [("What is half of 9?", "4.5")]


def test_a_conversation_that_states_its_answer_is_read_as_before(load: Callable[..., LoadedQuestions]) -> None:
    stated = {"from": "gpt", "value": "The answer is 4.5."}
    assert load({"conversations": [ASKED, stated]}).forms == {"turns": 1}
    assert len(load({"conversations": [ASKED, UNREAD]}, {"0": ASKED, "1": UNREAD})) == 0


def test_a_list_that_is_no_conversation_is_a_bad_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('[{"question": "1 + 1?"}]\n[]\n{"question": "1 + 1?", "answer": 2}\n')
    found = load_questions(tmp_path / "a.jsonl", skip_bad=True)
    assert len(found) == 1
    assert all("found a list" in reason for _, reason in found.skipped)
