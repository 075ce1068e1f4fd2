"""What some work needs of its questions, and questions without a gold answer do not have."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.answers import answer_type
from aurify.errors import UsageError
from aurify.questions.record import Question


def lacking_answer(questions: Sequence[Question]) -> Question | None:
    """The first question without a gold answer."""
    return next((question for question in questions if not question.answer), None)


def need_answers(questions: Sequence[Question], who: str) -> None:
    """Do nothing where every question has a gold answer.

    Raises:
        UsageError: one has none, which ``who`` cannot do without.
    """
    if (lacking := lacking_answer(questions)) is not None:
        place = lacking.where or lacking.id
        raise UsageError(f"{who} needs gold answers, and {place} has none (--answers {lacking.answer_type})")


def need_votes(questions: Sequence[Question], who: str) -> None:
    """Do nothing where the answers can be compared with one another.

    Raises:
        UsageError: they cannot, so there is no vote.
    """
    for word in dict.fromkeys(question.answer_type for question in questions):
        if not answer_type(word).compares:
            raise UsageError(f"{who}: a vote compares answers, and --answers {word} judges each rationale by itself")
