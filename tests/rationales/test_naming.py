"""What the rows of others call their questions."""

from __future__ import annotations

import pytest

from aurify.questions.rows import BadRow, Row
from aurify.rationales.naming import question_name, torn, with_telling_ids

ADD, OTHER = {"question": "3 + 4?", "text": "so 7"}, {"question": "1 + 1?", "text": "so 2"}


def telling(*rows: dict[str, object], question_field: str | None = None) -> list[dict[str, object]]:
    found = with_telling_ids([Row("a.jsonl", 1, row) for row in rows], question_field)
    return [dict(row.fields) for row in found if isinstance(row, Row)]


def names(*rows: dict[str, object]) -> list[str]:
    kept = telling(*rows)
    return [question_name(row, torn(kept))[0] for row in kept]


def test_an_id_that_several_questions_have_tells_none_of_them() -> None:
    assert names({"id": 0, **ADD}, {"id": 0, **OTHER}) == ["3 + 4?", "1 + 1?"]
    assert names({"question_id": "0", **ADD}, {"question_id": "0", **OTHER}) == ["3 + 4?", "1 + 1?"]
    both = [{"question_id": "a", "id": 0, **ADD}, {"question_id": "b", "id": 0, **OTHER}]
    assert names(*both) == ["a", "b"], "the id that counts tells them apart"


def test_an_id_of_one_question_names_it() -> None:
    spaced = {"question": " 3 +  4? ", "text": "so 7"}
    assert names({"id": 0, **ADD}, {"id": 0, **spaced}, {"id": 1, **OTHER}) == ["0", "0", "1"]
    assert names({"question_id": "0", "text": "so 7"}, {"question_id": "0", **ADD}) == ["0", "0"], "one without a text"


def test_the_question_may_stand_in_a_field_that_is_told() -> None:
    rows = [{"id": 0, "question": "Task 3", "asked": asked, "text": "so 7"} for asked in ("3 + 4?", "2 + 5?")]
    assert telling(*rows) == rows
    assert telling(*rows, question_field="asked") == [{k: v for k, v in row.items() if k != "id"} for row in rows]


def test_a_bad_row_stays_where_it_is() -> None:
    rows = [
        BadRow("a.jsonl", 1, "not JSON"),
        Row("a.jsonl", 2, {"id": 0, **ADD}),
        Row("a.jsonl", 3, {"id": 0, **OTHER}),
    ]
    assert [type(row) for row in with_telling_ids(rows)] == [BadRow, Row, Row]


def test_a_row_that_names_no_question_is_an_error() -> None:
    with pytest.raises(ValueError, match="no question: expected a field named question_id, id,"):
        names({"text": "so 7"})
