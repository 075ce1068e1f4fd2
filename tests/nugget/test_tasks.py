"""The questions have the answers that they claim, and the writers write as they are said to."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurify.nugget import TASKS, WRITING_STYLES, different, generate, rationale
from aurify.nugget.tasks import REGISTRY
from aurify.nugget.writers import ERROR_RATE, MIXTURE, OPENINGS, make
from aurify.questions.record import Question

BBH = Path(__file__).parents[3] / "shared" / "data" / "bbh"
Solvers = dict[str, Callable[[str], str]]
tasks = st.sampled_from(TASKS)


def bbh(task: str) -> list[Question]:
    file = BBH / f"{task}.json"
    if not file.exists():
        pytest.skip(f"BBH's rows are not at {file}")
    rows = json.loads(file.read_text())["examples"]
    kind = REGISTRY[task].answer_type
    return [Question(f"bbh-{i}", r["input"], r["target"], kind, task=task) for i, r in enumerate(rows)]


@pytest.mark.parametrize("task", TASKS)
def test_answers_agree_with_an_independent_solver(task: str, solvers: Solvers) -> None:
    for question in generate(task, 150, seed=3):
        assert solvers[task](question.text) == question.answer, question.text


@pytest.mark.parametrize("task", TASKS)
def test_solver_and_careful_writer_agree_with_bbh(task: str, solvers: Solvers) -> None:
    for question in bbh(task):
        assert solvers[task](question.text) == question.answer, question.text
        assert rationale(question, "careful", random.Random(0)).answer == question.answer, question.text


@given(task=tasks, seed=st.integers(0, 2**31), index=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_careful_is_right_and_the_shortcut_wrong_on_hard(task: str, seed: int, index: int) -> None:
    question = make(task, seed, index, "hard")
    rng = random.Random(seed)
    careful, shortcut = (rationale(question, style, rng) for style in ("careful", "shortcut"))
    assert careful.answer == question.answer
    assert shortcut.answer != question.answer
    for written in (careful, shortcut):
        assert written.text.endswith(f" So the answer is {written.answer}.")
        assert written.text.startswith(OPENINGS[written.style])


@given(task=tasks, seed=st.integers(-5, 2**40), difficulty=st.sampled_from(["easy", "hard", "mixed"]))
@settings(max_examples=40, deadline=None)
def test_an_item_depends_on_its_index_and_not_on_how_many(task: str, seed: int, difficulty: str) -> None:
    long, short = generate(task, 6, seed, difficulty), generate(task, 3, seed, difficulty)
    assert long[:3] == short == generate(task, 3, seed, difficulty)
    assert len({q.id for q in long}) == 6
    assert all(q.task == task and difficulty in ("mixed", q.level) for q in long)


def test_ids_levels_and_seeds() -> None:
    question = generate("object_counting", 13, seed=7)[12]
    assert question.id == "nugget-object_counting-7-00012"
    assert generate("object_counting", 5, seed=7) != generate("object_counting", 5, seed=8)
    for task in TASKS:
        levels = [q.level for q in generate(task, 100, seed=1)]
        assert 25 <= levels.count("easy") <= 55
        assert len({q.answer for q in generate(task, 60, seed=1)}) >= 2


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_sloppy_writers_slip_at_the_stated_rate(task: str, rate: float) -> None:
    questions = generate(task, 200, seed=11)
    slips = wrong = 0
    for i, question in enumerate(questions):
        careful = rationale(question, "careful", random.Random(0)).text
        sloppy = rationale(question, "sloppy", random.Random(i), error_rate=rate)
        slips += sloppy.text != careful
        wrong += sloppy.answer != question.answer
    assert abs(slips / len(questions) - rate) < 0.12
    assert wrong <= slips
    if rate == 1.0:  # a slip is harmless where the other side of an `or` is True, or where one is away in any case
        assert wrong >= (0.25 if task == "navigate" else 0.6) * slips


@pytest.mark.parametrize("task", TASKS)
def test_guesses_are_right_some_of_the_time(task: str) -> None:
    questions = generate(task, 300, seed=12, difficulty="hard")
    right = sum(rationale(q, "answer", random.Random(i)).answer == q.answer for i, q in enumerate(questions))
    assert 0.1 <= right / len(questions) <= 0.7


def test_mixtures_are_shares() -> None:
    assert 0 < ERROR_RATE < 1
    for shares in MIXTURE.values():
        assert set(shares) == set(WRITING_STYLES)
        assert sum(shares.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("task", TASKS)
@given(text=st.text(max_size=80))
@settings(max_examples=25, deadline=None)
def test_text_of_no_task_is_a_value_error(task: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        REGISTRY[task].parse(text)


def test_wrong_names_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="knows object_counting"):
        generate("cooking", 1, seed=0)
    with pytest.raises(ValueError, match="easy, hard or mixed"):
        generate("navigate", 1, seed=0, difficulty="odd")
    question = generate("navigate", 1, seed=0)[0]
    with pytest.raises(ValueError, match="careful, sloppy"):
        rationale(question, "lazy", random.Random(0))


def test_different_questions_differ_and_are_as_many_as_asked() -> None:
    questions = different("navigate", 300, seed=0)
    assert len(questions) == len({question.text for question in questions}) == 300
    assert different("navigate", 0, seed=0) == []


def test_the_module_prints_a_question_file() -> None:
    command = [sys.executable, "-m", "aurify.nugget", "--questions", "web_of_lies", "--n", "3", "--seed", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = different("web_of_lies", 3, seed=2)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["question"], row["answer"], row["task"]) for row in rows] == [
        (question.text, question.answer, "web_of_lies") for question in expected
    ]


def test_questions_are_written_without_waiting_for_torch() -> None:
    words = ["aurify.nugget", "--questions", "navigate", "--n", "1"]
    code = f"import runpy, sys; sys.argv = {words!r}; runpy.run_module({words[0]!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not {"torch", "transformers"} & set(done.stdout.split())
