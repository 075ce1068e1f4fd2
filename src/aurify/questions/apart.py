"""Questions to measure on, apart from those that are trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from aurify.questions.ids import Ids
from aurify.questions.record import Question


def on_both_sides(train: Sequence[Question], measured: Sequence[Question]) -> list[Question]:
    """The questions to measure on that are trained on as well."""
    texts = {question.id: question.text for question in train}
    return [question for question in measured if texts.get(question.id) == question.text]


def kept_apart(train: Sequence[Question], measured: Sequence[Question], say: Callable[[str], None]) -> list[Question]:
    """The questions to measure on; where one shares its id with another training question it gets an id of its own.

    Two files of a data set often number their rows alike, and everything else goes by the id. The new one is made of
    the question's text. What is trained on and measured on is said.
    """
    both = {question.id for question in on_both_sides(train, measured)}
    if both:
        say(f"{len(both)} questions are trained on and measured on, as {min(both)!r}: that is no held-out accuracy")
    shared = ({question.id for question in measured} & {question.id for question in train}) - both
    if shared:
        say(f"{len(shared)} ids are of two questions, as {min(shared)!r}: the held-out ones get other ids")
    texts = {question.text for question in train}
    if repeated := sum(question.text in texts for question in measured if question.id not in both):
        say(f"{repeated} of the held-out questions have the text of one that is trained on")
    ids = Ids()
    return [
        replace(question, id=ids.take(None, question.task, question.text, "")) if question.id in shared else question
        for question in measured
    ]
