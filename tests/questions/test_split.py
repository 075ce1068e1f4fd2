from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.errors import UsageError
from aurify.questions import Question, split_questions


def make(number: int, text: str | None = None, task: str = "t") -> Question:
    return Question(id=f"q{number}", text=text or f"text {number}", answer="1", answer_type="number", task=task)


def ids(questions: list[Question]) -> set[str]:
    return {question.id for question in questions}


def test_the_split_is_known_by_seed_and_ids_alone() -> None:
    questions = [make(number) for number in range(100)]
    train, held = split_questions(questions, 0.3, seed=1)
    assert (len(train), len(held)) == (70, 30)
    assert [question.id for question in sorted(held, key=questions.index)] == [question.id for question in held]
    shuffled = random.Random(0).sample(questions, 100)
    assert ids(split_questions(shuffled, 0.3, seed=1)[1]) == ids(held)
    assert ids(split_questions(questions, 0.3, seed=2)[1]) != ids(held)


def test_every_task_gives_its_share() -> None:
    sizes = {"a": 100, "b": 10, "c": 7}
    questions = [make(1000 * index + i, task=task) for index, task in enumerate(sizes) for i in range(sizes[task])]
    _, held = split_questions(questions, 0.4, seed=0)
    assert Counter(question.task for question in held) == {"a": 40, "b": 4, "c": 3}


@given(
    texts=st.lists(st.tuples(st.integers(0, 20), st.sampled_from("ab")), max_size=40),
    holdout=st.floats(0, 1, exclude_max=True),
    seed=st.integers(0, 99),
)
def test_equal_texts_stay_together(texts: list[tuple[int, str]], holdout: float, seed: int) -> None:
    questions = [make(number, f"text  {text} \n", task) for number, (text, task) in enumerate(texts)]
    train, held = split_questions(questions, holdout, seed)
    assert ids(train) | ids(held) == ids(questions)
    assert len(train) + len(held) == len(questions)
    assert {one.text for one in train}.isdisjoint(one.text for one in held)
    assert len(held) <= round(len(questions) * holdout)


@given(count=st.integers(0, 60), tasks=st.integers(1, 5), holdout=st.floats(0, 1, exclude_max=True))
def test_the_size_is_exact_where_no_text_repeats(count: int, tasks: int, holdout: float) -> None:
    questions = [make(number, task=str(number * number % tasks)) for number in range(count)]
    assert len(split_questions(questions, holdout, 0)[1]) == round(count * holdout)


@pytest.mark.parametrize("holdout", [1, -0.1, float("nan")])
def test_an_impossible_share(holdout: float) -> None:
    with pytest.raises(UsageError, match="--holdout"):
        split_questions([make(0)], holdout, 0)


def test_rows_are_no_questions_yet() -> None:
    with pytest.raises(UsageError, match="found a dict among them: load_questions reads rows"):
        split_questions([make(1), {"question": "2+2?"}], 0.5, 0)  # type: ignore[list-item]
