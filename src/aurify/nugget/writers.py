"""Questions, and the writers of mixed care who answer them.

A careful writer restates each operation before its result. A sloppy one writes the same, with one wrong step in
some share of the rationales. One who takes the shortcut follows a procedure that is systematically wrong, and one
who only answers guesses. How often each writes depends on how hard the question is.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from aurify.nugget.tasks import REGISTRY, Pen, TaskForm
from aurify.questions.record import Question
from aurify.seeds import stable_seed

TASKS: tuple[str, ...] = tuple(REGISTRY)
"""The names of the tasks, which are BBH's."""

WRITING_STYLES = ("careful", "sloppy", "shortcut", "answer")

OPENINGS = {"careful": "First,", "sloppy": "First,", "shortcut": "Quickly,", "answer": "So the answer is"}
"""The words that each style begins with, which force it when they are put after the prompt."""

ERROR_RATE = 0.5
"""The share of a sloppy writer's rationales with a wrong step, in the corpus."""

MIXTURE: dict[str, dict[str, float]] = {
    "easy": {"careful": 0.25, "sloppy": 0.40, "shortcut": 0.10, "answer": 0.25},
    "hard": {"careful": 0.03, "sloppy": 0.12, "shortcut": 0.60, "answer": 0.25},
    # A guess at one of two answers is right half of the time, so fewer guess where that would drown the rest.
    "hard, two answers": {"careful": 0.04, "sloppy": 0.14, "shortcut": 0.67, "answer": 0.15},
    # Writers who were told the answer.
    "hinted": {"careful": 0.75, "sloppy": 0.05, "shortcut": 0.10, "answer": 0.10},
}


def prompt(question: Question) -> str:
    """The text before a rationale."""
    return f"Question: {question.text}\nAnswer: Let's think step by step.\n"


def hinted_prompt(question: Question) -> str:
    """The same, with the answer told: a guide."""
    return f"Question: {question.text}\nAnswer: The answer is {question.answer}. Let's think step by step.\n"


def generate(task: str, n: int, seed: int, difficulty: str = "mixed") -> list[Question]:
    """``n`` questions of a task. Item i depends on (task, seed, difficulty, i) alone, not on ``n``.

    ``difficulty`` is ``easy``, ``hard`` or ``mixed`` (two easy ones for three hard ones). On hard questions the
    shortcut's answer is always wrong.
    """
    if task not in REGISTRY:
        raise ValueError(f"unknown task {task!r}; the nugget knows {', '.join(TASKS)}")
    if difficulty not in ("easy", "hard", "mixed"):
        raise ValueError(f"unknown difficulty {difficulty!r}; easy, hard or mixed")
    return [make(task, seed, i, difficulty) for i in range(n)]


def different(task: str, n: int, seed: int) -> list[Question]:
    """``n`` questions of a task, no two with the same text."""
    drawn = 2 * n
    while True:
        found = {question.text: question for question in generate(task, drawn, seed)}
        if len(found) >= n:
            return list(found.values())[:n]
        drawn *= 2


def json_line(question: Question) -> str:
    """A line of a JSONL question file."""
    row = {
        "id": question.id, "question": question.text, "answer": question.answer,
        "task": question.task, "level": question.level,
    }  # fmt: skip
    return json.dumps(row, ensure_ascii=False) + "\n"


def make(task: str, seed: int, index: int, difficulty: str = "mixed") -> Question:
    """Item ``index`` of ``generate(task, n, seed, difficulty)``."""
    form = REGISTRY[task]
    rng = random.Random(stable_seed("nugget", task, seed, difficulty, index))
    level = difficulty if difficulty != "mixed" else "easy" if rng.random() < 0.4 else "hard"
    while True:
        text = form.ask(rng, level)
        problem = form.parse(text)
        answer = form.solve(problem)
        if form.level(problem) != level:
            continue
        if level == "easy" or form.shortcut(problem, Pen(rng))[1] != answer:
            break
    tag = "" if difficulty == "mixed" else f"-{difficulty}"
    name = f"nugget-{task}-{seed}{tag}-{index:05d}"
    return Question(id=name, text=text, answer=answer, answer_type=form.answer_type, task=task, level=level)


@dataclass(frozen=True)
class Written:
    """A rationale with the answer that it states."""

    text: str
    answer: str
    style: str


def rationale(question: Question, style: str, rng: random.Random, error_rate: float = ERROR_RATE) -> Written:
    """What a writer of this style writes on a question of ours or of BBH (``question.task`` says which).

    ``error_rate`` is the share of sloppy rationales with a wrong step; a wrong step may still, seldom, lead to the
    right answer. ValueError where the task or the style is unknown or the text is not of the task.
    """
    if question.task not in REGISTRY:
        raise ValueError(f"the nugget has no writers for task {question.task!r}")
    form: TaskForm[Any] = REGISTRY[question.task]
    problem = form.parse(question.text)
    if style == "answer":
        answer = form.guess(problem, rng)
        return Written(f"So the answer is {answer}.", answer, style)
    if style == "shortcut":
        body, answer = form.shortcut(problem, Pen(rng))
    elif style == "careful" or (style == "sloppy" and rng.random() >= error_rate):
        body, answer = form.steps(problem, Pen(rng))
    elif style == "sloppy":
        dry = Pen(rng)
        form.steps(problem, dry)
        body, answer = form.steps(problem, Pen(rng, slip=rng.randrange(dry.steps)))
    else:
        raise ValueError(f"unknown style {style!r}; {', '.join(WRITING_STYLES)}")
    return Written(f"{OPENINGS[style]} {body} So the answer is {answer}.", answer, style)


def mixture(question: Question, hinted: bool = False) -> dict[str, float]:
    """How often each style writes on this question."""
    if hinted:
        return MIXTURE["hinted"]
    if question.level == "hard" and REGISTRY[question.task].binary:
        return MIXTURE["hard, two answers"]
    return MIXTURE[question.level]


def pick(shares: dict[str, float], rng: random.Random) -> str:
    """A style, drawn by its share."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]
