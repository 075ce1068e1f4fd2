"""What the rows of others call their questions."""

from __future__ import annotations

from aurify.questions.rows import BadRow, Row
from aurify.rationales.naming import question_name, torn, with_telling_ids

ADD, OTHER = {"question": "3 + 4?", "text": "so 7"}, {"question": "1 + 1?", "text": "so 2"}


def telling(*rows: dict[str, object], question_field: str | None = None) -> list[dict[str, object]]:
    found = with_telling_ids([Row("a.jsonl", 1, row) for row in rows], question_field)
    return [dict(row.fields) for row in found if isinstance(row, Row)]


def names(*rows: dict[str, object]) -> list[str]:
    kept = telling(*rows)
    return [question_name(row, torn=torn(kept))[0] for row in kept]


def test_an_id_that_several_questions_have_tells_none_of_them() -> None:
    assert names({"id": 0, **ADD}, {"id": 0, **OTHER}) == ["3 + 4?", "1 + 1?"]
    assert names({"question_id": "0", **ADD}, {"question_id": "0", **OTHER}) == ["3 + 4?", "1 + 1?"]
    both = [{"question_id": "a", "id": 0, **ADD}, {"question_id": "b", "id": 0, **OTHER}]
    assert names(*both) == ["a", "b"], "the id that counts tells them apart"


def test_an_id_of_one_question_names_it() -> None:
    spaced = {"question": " 3 +  4? ", "text": "so 7"}
    assert names({"id": 0, **ADD}, {"id": 0, **spaced}, {"id": 1, **OTHER}) == ["0", "0", "1"]
    assert names({"question_id": "0", "text": "so 7"}, {"question_id": "0", **ADD}) == ["0", "0"], "one without a text"


def test_questions_of_one_stem_are_told_apart_by_their_options() -> None:
    asked = {"question": "Which is true?", "answer": "A", "text": "so (A)"}
    first, other = "Which is true?\nOptions:\n(A) x\n(B) y", "Which is true?\nOptions:\n(A) y\n(B) x"
    assert names({**asked, "choices": ["x", "y"]}, {**asked, "choices": ["y", "x"]}) == [first, other]
    assert names({**asked, "choices": ["x", "y"]}, {**asked, "A": "x", "B": "y", "text": "so (B)"}) == [first, first]
    wrong = [{"question": "Q?", "correct_answer": "x", "distractor1": one, "text": "so (A)"} for one in "yz"]
    assert len(set(names(*wrong))) == 2
    assert names({**asked, "choices": ["x"]}, {**asked, "choices": []}) == ["Which is true?"] * 2, "no options"
    ids = [{**asked, "id": n, "choices": options} for n, options in enumerate((["x", "y"], ["y", "x"], ["u", "v"]))]
    assert names(*ids) == ["0", "1", "2"]
    assert names(ids[0], {**ids[1], "id": 0}) == [first, other], "an id of two questions"
    assert names(ids[0], {**asked, "id": 0}, ids[1]) == ["0", "0", "1"], "the options are told once"


def test_a_passage_beside_options_is_the_questions_where_it_is_no_sample() -> None:
    asked = {"question": "True?", "choices": ["x", "y"], "text": "A story."}
    assert names({**asked, "samples": ["so (A)"]}) == ["A story.\n\nTrue?\nOptions:\n(A) x\n(B) y"]
    assert names(asked) == ["True?\nOptions:\n(A) x\n(B) y"]


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


def test_a_row_that_names_no_question_has_no_name() -> None:
    assert names({"text": "so 7"}) == [""]
