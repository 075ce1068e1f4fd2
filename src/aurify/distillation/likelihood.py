"""Held-out likelihood: whether a model finds right rationales likelier than wrong ones of the same question.

It tells students apart long before, and more finely than, their accuracy does: on hard questions a small student's
accuracy is 0 whatever it has learned.
"""

from __future__ import annotations

from collections.abc import Sequence

from aurify.distillation.examples import Example
from aurify.distillation.gradient import ExampleScorer

PER_SIDE = 2
"""The most right, and the most wrong, rationales of a question that are scored."""


def contrasting(examples: Sequence[Example]) -> list[Example]:
    """The first right and wrong examples of each question that has both."""
    sides: dict[str, tuple[list[Example], list[Example]]] = {}
    for example in examples:
        side = sides.setdefault(example.question_id, ([], []))[example.right]
        if len(side) < PER_SIDE:
            side.append(example)
    return [example for wrong, right in sides.values() if wrong and right for example in (*right, *wrong)]


def summary(examples: Sequence[Example], means: Sequence[float]) -> dict[str, float]:
    """Mean log-probability a token (nats) of right and of wrong rationales, and how often the right one is likelier.

    ``preferred`` is over pairs of one question, questions counting alike, ties half.
    """
    sides: dict[str, tuple[list[float], list[float]]] = {}
    for example, mean in zip(examples, means, strict=True):
        sides.setdefault(example.question_id, ([], []))[example.right].append(mean)
    shares = []
    for wrong, right in sides.values():
        if wrong and right:
            won = [float(r > w) + 0.5 * float(r == w) for r in right for w in wrong]
            shares.append(sum(won) / len(won))
    found = {"questions": float(len(shares)), "preferred": _mean(shares)}
    for name, side in (("wrong", 0), ("right", 1)):
        found[name] = _mean([mean for both in sides.values() for mean in both[side]])
    return found


def score_examples(scorer: ExampleScorer, examples: Sequence[Example]) -> dict[str, float]:
    """``summary`` under the present model."""
    return summary(examples, scorer.means(examples))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
