from __future__ import annotations

from typing import Any

import pytest

from aurify.questions.draft import Draft, draft
from aurify.questions.rows import Row, RowError


def read(**fields: Any) -> Draft | None:
    return draft(Row("f.jsonl", 3, fields), "f")


def sure(**fields: Any) -> Draft:
    found = read(**fields)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "text", "gold"),
    [
        ({"question": "q", "answer": "work\n#### 1,450"}, "q", "1,450"),
        ({"input": "q", "target": "(A)"}, "q", "(A)"),
        ({"problem": "b q", "body": "b", "question": "q", "answer": 17.0}, "b q", "17"),
        ({"Body": "b ", "Question": "q", "Answer": 17.0, "ID": "chal-1", "Type": "Sum"}, "b q", "17"),
        ({"question_concat": "b q", "Body": "b", "Question": "q", "Answer": "17.0"}, "b q", "17.0"),
        ({"sQuestion": "q", "lSolutions": [3.0], "lEquations": ["x=3"]}, "q", "3"),
        ({"question": "q", "final_ans": "5"}, "q", "5"),
        ({"problem": "q", "level": "Level 1", "type": "Algebra", "solution": r"is $\boxed{\frac12}$"}, "q", r"\frac12"),
    ],
)
def test_the_fields_of_known_data_sets(fields: dict[str, Any], text: str, gold: str) -> None:
    found = sure(**fields)
    assert (found.text, found.answers) == (text, (gold,))


def test_math() -> None:
    row = {"id": "math-test-1", "problem": "q", "level": "Level 5", "type": "Algebra", "solution": r"$\boxed{i}$"}
    found = sure(**row, answer="i", answer_annotated=["i", "1i"], math500_id="x")
    assert found == Draft(
        where="f.jsonl:3", fields=found.fields, form="solution", text="q", answers=("i", "1i"), answer_type="math",
        id="math-test-1",
        task="Algebra", level="Level 5", rationale=r"$\boxed{i}$",
    )  # fmt: skip
    assert found.fields["math500_id"] == "x"
    assert sure(**row, answer="i", answer_annotated="1i").answers == ("i", "1i")
    assert read(**row, answer="i", in_train=True) is None


def test_asdiv_answers_are_numbers_or_text_row_by_row() -> None:
    number = sure(problem="q", answer="9 (apples)", answer_number=9)
    clock = sure(problem="q", answer="5:45", answer_number=None)
    fraction = sure(problem="q", answer="3/7", answer_number=None)
    assert [(one.answers[0], one.answer_type) for one in (number, clock, fraction)] == [
        ("9", "number"),
        ("5:45", "text"),
        ("3/7", "number"),
    ]


def test_ids_are_text_or_whole_numbers() -> None:
    assert [sure(question="q", answer=1, id=value).id for value in ("a", 7, 7.0, None, "")] == [
        "a",
        "7",
        "7",
        None,
        None,
    ]
    for value in (True, [1], 1.5):
        with pytest.raises(RowError, match="'id' is"):
            read(question="q", answer=1, id=value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no question: expected a field named problem, .*found no field at all"),
        ({"text": "q", "answer": 1}, "no question: .*found 'text', 'answer'; --question-field names another"),
        ({"question": "q", "id": 1}, "no answer: expected a field named answer, target"),
        ({"question": "q", "answer": None}, "'answer' is null"),
        ({"question": "q", "answer": ""}, "'answer' is empty"),
        ({"question": "", "answer": 1}, "'question' is empty"),
        ({"question": 7, "answer": 1}, "'question' is a number: expected the question as text"),
        ({"question": "q", "answer": [[1, 2], 3]}, "'answer' holds a list among its answers"),
        ({"question": "q", "answer": [None]}, "'answer' is null"),
        ({"sQuestion": "q", "lSolutions": []}, "'lsolutions' is null"),
        ({"question": "\udc80", "answer": 1}, "surrogate"),
        ({"question": "q", "answer": 1, "task": "\udc80"}, "surrogate"),
    ],
)
def test_what_is_missing_or_of_the_wrong_type_is_said(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        read(**fields)


def test_chosen_fields() -> None:
    row = Row("f.jsonl", 1, {"Prompt text": "q", "gold_label": "yes", "question": "other", "answer": "no"})
    found = draft(row, "f", "Prompt text", "gold_label")
    assert found is not None
    assert (found.text, found.answers) == ("q", ("yes",))
    with pytest.raises(RowError, match="no field 'gold_lable': did you mean 'gold_label'"):
        draft(row, "f", None, "gold_lable")


def test_chosen_paths() -> None:
    row = Row("f.jsonl", 1, {
        "sample": {"turns": [{"role": "user", "content": "q"}], "Meta": '{"gold": ["7", "seven"]}'},
        "question": "other", "choices": ["7", "8"], "answer": 1,
    })  # fmt: skip
    found = draft(row, "f", "sample.turns.0.content", "sample.meta.gold.0")
    assert found is not None
    assert (found.text, found.form) == ("q", "options")
    assert found.options is not None
    assert found.options.place(found.marks[0][1]) == 0, "the answer chosen, not the one that would be recognised"
    whole = draft(Row("f.jsonl", 1, {"sample": row.fields["sample"]}), "f", "sample.turns", "sample.meta.gold")
    assert whole is not None
    assert (whole.text, whole.answers) == ("q", ("7", "seven"))
    for path, reason in [
        ("sample.turns.1.content", "no field '1' in 'sample.turns', which is a list"),
        ("sample.trns.0", "no field 'trns' in 'sample', which is an object: did you mean 'turns'"),
        ("question.a", "no field 'a' in 'question', which is text"),
    ]:
        with pytest.raises(RowError, match=reason):
            draft(row, "f", path)


def test_a_row_may_say_its_task_and_answer_type() -> None:
    found = sure(question="q", answer="(A)", task="web", answer_type="text", level=3)
    assert (found.task, found.answer_type, found.level) == ("web", "text", "3")
    assert sure(question="q", answer="(A)", answer_type="haiku").answer_type is None
