"""A small world for bench/reproduce_tdg.py: the nugget as student, its hard questions, and a teacher that slips.

In domain are three of its tasks, out of domain the three others. The teacher follows the careful procedure, gets each
step wrong with probability SLIP and goes on from what it wrote, so a wrong rationale holds several errors and, mostly,
right steps. Negatives come in three kinds:

    slips      the teacher's own
    procedure  every step done rightly, but of another procedure, which is systematically wrong: the shortcut
    format     no steps at all: a wrong answer alone
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from aurify.nugget import generate, rationale
from aurify.nugget.tasks import REGISTRY, Pen
from aurify.questions import Question

SLIP = 0.15
KINDS = ("slips", "procedure", "format")
DOMAINS = {
    "in": ("object_counting", "web_of_lies", "boolean_expressions"),
    "out": ("navigate", "hyperbaton", "dyck_languages"),
}


class NoisyPen(Pen):
    """Slips at any step, with probability SLIP."""

    def _slips(self) -> bool:
        self.steps += 1
        return self.rng.random() < SLIP


def draw_questions(n: int, domain: str, seed: int) -> list[Question]:
    """About ``n`` hard questions, equally many of each task of the domain; the same seed gives the same ones."""
    return [question for task in DOMAINS[domain] for question in generate(task, n // 3, seed, "hard")]


def teach(questions: Sequence[Question], samples: int, kind: str, seed: int) -> list[dict[str, str]]:
    """The teacher's rationales; those of the kind of negatives asked stand in the place of its own wrong ones."""
    rng = random.Random(f"teacher-{seed}")
    rows = []
    for question in questions:
        for _ in range(samples):
            body, answer = REGISTRY[question.task].steps(REGISTRY[question.task].parse(question.text), NoisyPen(rng))
            text = f"First, {body} So the answer is {answer}."
            if answer != question.answer and kind != "slips":
                text = wrong(question, "shortcut" if kind == "procedure" else "answer", rng)
            rows.append({"question_id": question.id, "rationale": text})
    return rows


def wrong(question: Question, style: str, rng: random.Random) -> str:
    """A rationale of this style with a wrong answer. (On a hard question the shortcut's always is.)"""
    while (written := rationale(question, style, rng)).answer == question.answer:
        pass
    return written.text
