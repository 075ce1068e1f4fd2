"""Pairs of answers that are equal, or unequal, by construction: a value in many dresses, and with one digit changed.

Used by ``tests/answers/test_pairs.py`` (a few thousand) and ``bench/verifier.py`` (100,000 of each type).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from answer_pairs.choices import QUESTION, choice
from answer_pairs.maths import mathematics
from answer_pairs.numbers import number
from answer_pairs.texts import text

__all__ = ["QUESTION", "TYPES", "AnswerPair", "pairs"]

MAKERS = {"number": number, "choice": choice, "text": text, "math": mathematics}
TYPES = tuple(MAKERS)


@dataclass(frozen=True)
class AnswerPair:
    """A prediction, a gold answer, and whether they are equal."""

    kind: str
    pred: str
    gold: str
    equal: bool


def pairs(kind: str, count: int, seed: int = 0) -> Iterator[AnswerPair]:
    """``count`` pairs of one answer type, by turns equal and unequal; the same for a seed on every machine."""
    rng = random.Random(f"{kind} {seed}")
    for i in range(count):
        pred, gold = MAKERS[kind](rng, i % 2 == 0)
        yield AnswerPair(kind, _said(rng, pred, kind), gold, i % 2 == 0)


_SAYINGS: list[Callable[[str], str]] = [
    lambda x: f"The answer is {x}.",
    lambda x: f"We add 3 and 4 first.\nSo the answer is {x}.",
    lambda x: f"Answer: {x}",
    lambda x: f"**Answer:** {x}",
    lambda x: f"### Final Answer\n{x}",
    lambda x: f"The final answer is: {x}",
    lambda x: f"The answer is {x}.\n\nProblem: I have 9 cups.\nThe answer is 31.",
    lambda x: f"The answer is {x}.\n\nUser: And 9 cups?\n\nAssistant: The answer is (E).",
    lambda x: f"So \\boxed{{{x}}}.",
    lambda x: f"Therefore, the final answer is $\\boxed{{{x}}}$.",
]


def _said(rng: random.Random, answer: str, kind: str) -> str:
    say = rng.choice(_SAYINGS[:-2] if kind in ("text", "number", "choice") else _SAYINGS)
    return say(f"${answer}$" if kind == "math" and say not in _SAYINGS[-2:] and rng.random() < 0.5 else answer)
