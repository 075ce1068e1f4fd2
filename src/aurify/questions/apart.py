"""Questions to measure on, apart from those that are trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from aurify.errors import AurifyError
from aurify.questions.ids import made_id
from aurify.questions.record import Question


def kept_apart(train: Sequence[Question], measured: Sequence[Question], say: Callable[[str], None]) -> list[Question]:
    """The questions to measure on, under ids that no training question has.

    Two files of a data set often number their rows alike, and everything else goes by the id: so a measured question
    that shares its id with another one gets an id that is made of its text.

    Raises:
        AurifyError: a question to measure on is trained on.
    """
    trained = {question.id: question.text for question in train}
    same = [question for question in measured if trained.get(question.id) == question.text]
    if same:
        where = f"{same[0].where}: " if same[0].where else ""
        raise AurifyError(
            f"{where}question {same[0].id!r} would be trained on and measured on ({len(same)} such): name other "
            "questions with --eval-data, or leave it out for --holdout"
        )
    shared = {question.id for question in measured} & trained.keys()
    if shared:
        say(f"{len(shared)} ids are of two questions, as {min(shared)!r}: the held-out ones get other ids")
    texts = set(trained.values())
    if repeated := sum(question.text in texts for question in measured):
        say(f"{repeated} of the held-out questions have the text of one that is trained on")
    return [
        replace(question, id=made_id(question.task, question.text)) if question.id in shared else question
        for question in measured
    ]
