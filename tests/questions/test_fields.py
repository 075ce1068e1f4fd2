from __future__ import annotations

from typing import Any

import pytest

from aurify.questions.fields import Fields, given_id, structure
from aurify.questions.rows import RowError


def test_names_without_regard_to_case_and_what_is_filled() -> None:
    fields = Fields({"Answer": "", "answer": "late", "GOLD": 0, "list": []})
    assert fields["answer"] == "", "the first of two names that differ by case alone"
    assert fields.filled(["answer", "list", "gold"]) == "gold"
    assert fields.named(["answer", "list"], "answer") == "answer"
    with pytest.raises(RowError, match="no answer: expected a field named x, found 'Answer', 'answer', 'GOLD', 'list'"):
        fields.named(["x"], "answer")


def test_names_as_people_write_them() -> None:
    fields = Fields({"Final Answer ": "7", "worked-out": "s", "final_answer_note": "n"})
    assert fields["final_answer"] == "7"
    assert fields.named(["answer", "final_answer"], "answer") == "final_answer"
    assert fields.at("Final Answer") == fields.at("final_answer") == "7"
    assert fields.get("finalanswer") is None
    assert list(fields.replaced({"answer": "8"}, ["final_answer"])) == [
        "answer",
        "worked-out",
        "final_answer_note",
    ]
    assert Fields({"Gold Answer": "a", "gold_answer": "b"})["gold_answer"] == "b", "its own name comes first"


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["Nr.", "The Question (en)", "Correct Answer (final)"], "did you mean --question-field 'The Question (en)'?"),
        (["question_no", "my_question"], "did you mean --question-field my_question?"),
        (["question_no", "question_type"], "--question-field names another"),
        (["question a", "question b"], "--question-field names another"),
        (["questionable", "frage"], "--question-field names another"),
    ],
)
def test_a_name_that_speaks_of_it_is_proposed(names: list[str], meant: str) -> None:
    with pytest.raises(RowError) as error:
        Fields(dict.fromkeys(names, "x")).named(["question"], "question")
    assert str(error.value).endswith(f"; {meant}")


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.b.0", 1), ("a.b.-1", 2), ("A.B.0", 1), ("x.y", "whole name"), ("text.k", "v"), ("turns.0.content", "q")],
)
def test_paths(path: str, value: object) -> None:
    fields = Fields(
        {"a": {"b": [1, 2]}, "x.y": "whole name", "x": {"y": 0}, "text": '{"k": "v"}', "turns": [{"content": "q"}]}
    )
    assert fields.at(path) == value


@pytest.mark.parametrize("path", ["a.c", "a.b.2", "a.b.x", "a.b.0.z", "none", "a..b", ""])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(RowError, match="no field"):
        Fields({"a": {"b": [1, 2]}}).at(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}), ('["a", "b"]', ["a", "b"]), (' [{"a": 1}]', [{"a": 1}]),
        ("[1, 2]", "[1, 2]"), ("[]", "[]"), ("{1, 2}", "{1, 2}"), ("[a", "[a"), ("[" * 100_000, "[" * 100_000),
        ("\\{1\\}", "\\{1\\}"), (7, 7), (None, None),
    ],
)  # fmt: skip
def test_json_text_is_read_but_intervals_and_sets_are_not(text: Any, found: Any) -> None:
    assert structure(text) == found


def test_the_first_id_there_is() -> None:
    assert given_id(Fields({"ID": "", "uuid": "u-1"})) == "u-1"
    assert given_id(Fields({"question": "q"})) is None
