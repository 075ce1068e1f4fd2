"""Which questions a command is about."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aurify.errors import AurifyError, UsageError
from aurify.questions import Question
from aurify.questions.chosen import chosen_questions, questions_to_learn


def settings(**values: Any) -> Any:
    usual = {
        "data": "given", "answers": None, "question_field": None, "answer_field": None, "skip_bad": False, "seed": 0,
        "limit": 0, "eval_data": None, "holdout": 0.25, "eval_limit": 500,
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **values})


def made(n: int) -> list[Question]:
    return [Question(str(i), f"What is {i}?", str(i), "number") for i in range(n)]


def written(path: Path, n: int) -> str:
    rows = [{"question": f"What is {i} in {path.stem}?", "answer": str(i)} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_part_by_seed_where_there_are_more_than_the_limit() -> None:
    first, again, other = (chosen_questions(settings(limit=5, seed=seed), made(40), print, "ask") for seed in (0, 0, 1))
    assert len(first) == 5
    assert first == again != other
    assert chosen_questions(settings(limit=50), made(40), print, "ask") == made(40)


@pytest.mark.parametrize("seed", range(5))
def test_a_few_to_sample_are_trained_on_and_a_few_to_evaluate_are_held_out(seed: int) -> None:
    wanted, everything = settings(limit=8, seed=seed), made(40)
    train, held_out = questions_to_learn(settings(seed=seed), everything, None, print)
    assert set(chosen_questions(wanted, everything, print, "ask", to_learn=True)) <= set(train)
    assert set(chosen_questions(wanted, everything, print, "evaluate on")) <= set(held_out)
    more = chosen_questions(settings(limit=12, seed=seed), everything, print, "ask", to_learn=True)
    assert set(chosen_questions(wanted, everything, print, "ask", to_learn=True)) <= set(more)


def test_what_is_held_out_is_not_trained_on_and_only_so_much_of_it_is_measured() -> None:
    said: list[str] = []
    train, measured = questions_to_learn(settings(eval_limit=4), made(40), None, said.append)
    assert (len(train), len(measured)) == (30, 4)
    assert not {question.id for question in train} & {question.id for question in measured}
    assert said == ["training on 30 questions, evaluating on 4 of 10 held out"]


def test_given_questions_go_before_files_and_files_before_a_split(tmp_path: Path) -> None:
    train_file, eval_file = written(tmp_path / "train.jsonl", 8), written(tmp_path / "eval.jsonl", 3)
    said: list[str] = []
    train, measured = questions_to_learn(settings(data=train_file, eval_data=eval_file), None, None, said.append)
    assert (len(train), len(measured)) == (8, 3)
    assert said[0] == f"{train_file}: 8 questions, answers: number (inferred)"
    assert questions_to_learn(settings(eval_data=eval_file), made(9)[:6], made(9)[6:], print) == (
        made(9)[:6], made(9)[6:]
    )  # fmt: skip


def test_no_question_left_is_one_clear_line() -> None:
    with pytest.raises(AurifyError, match="given: no question is left to train on: lower --holdout"):
        questions_to_learn(settings(), [], made(2), print)
    with pytest.raises(AurifyError, match="given: no question is left to ask"):
        chosen_questions(settings(), [], print, "ask")


def rows(n: int, more: str = "") -> list[dict[str, Any]]:
    return [{"q": f"What is{more} {i}?", "answer": i} for i in range(n)]


def test_rows_are_read_as_the_settings_say_for_either_part() -> None:
    said: list[str] = []
    given = settings(question_field="q", answers="text")
    train, measured = questions_to_learn(given, rows(5), iter(rows(2, " then")), said.append)
    assert (len(train), len(measured), {one.answer_type for one in train + measured}) == (5, 2, {"text"})
    assert said[0] == "(questions given in Python): 5 questions, answers: text"
    assert len(chosen_questions(given, rows(5), print, "ask")) == 5


def test_settings_of_reading_are_refused_only_where_nothing_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(4, " now")))
    given = settings(question_field="q", data=str(file))
    with pytest.raises(UsageError, match="--question-field q: nothing is read"):
        questions_to_learn(given, made(9)[:6], made(9)[6:], print)
    with pytest.raises(UsageError, match="--question-field q: nothing is read"):
        chosen_questions(given, made(4), print, "ask")
    for part in (rows(2, " then"), str(file), [file]):
        assert questions_to_learn(given, made(6), part, print)[0] == made(6)
        assert questions_to_learn(given, part, made(6), print)[1] == made(6)
    assert questions_to_learn(given, None, made(2), print)[1] == made(2)
    with pytest.raises(UsageError, match="--answers math: the questions of held_out say their own type, number"):
        questions_to_learn(settings(question_field="q", answers="math"), rows(3), made(2), print)


def test_a_fault_says_which_part_and_row() -> None:
    given = settings(question_field="q")
    with pytest.raises(AurifyError, match=r"^data: row 3: no field 'q'"):
        questions_to_learn(given, [*rows(2), {"answer": 1}], rows(2), print)
    with pytest.raises(AurifyError, match=r"^held_out: row 1: no field 'q'"):
        questions_to_learn(given, rows(2), [{"answer": 1}], print)
    with pytest.raises(UsageError, match=r"^held_out: found a value of type int"):
        questions_to_learn(given, rows(2), 5, print)  # type: ignore[arg-type]
