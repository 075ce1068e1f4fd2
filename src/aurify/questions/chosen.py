"""The questions that a command is about: read, told of, and at most so many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from aurify.errors import AurifyError
from aurify.questions.load import load_questions
from aurify.questions.record import Question
from aurify.questions.split import split_questions


class Asking(Protocol):
    """Settings that name questions."""

    @property
    def data(self) -> str: ...
    @property
    def answers(self) -> str | None: ...
    @property
    def question_field(self) -> str | None: ...
    @property
    def answer_field(self) -> str | None: ...
    @property
    def skip_bad(self) -> bool: ...
    @property
    def limit(self) -> int: ...
    @property
    def seed(self) -> int: ...


def chosen_questions(
    settings: Asking, questions: Sequence[Question] | None, say: Callable[[str], None], purpose: str
) -> list[Question]:
    """The questions given, or else those of ``settings.data``; a part by seed where there are more than the limit.

    Raises:
        AurifyError: the data is bad, or no question is left to ``purpose``.
    """
    if questions is None:
        loaded = load_questions(
            settings.data, answers=settings.answers, question_field=settings.question_field,
            answer_field=settings.answer_field, skip_bad=settings.skip_bad,
        )  # fmt: skip
        kinds = ", ".join(sorted(loaded.answer_types)) + (" (inferred)" if loaded.inferred else "")
        skipped = f", {len(loaded.skipped)} rows left out" if loaded.skipped else ""
        say(f"{settings.data}: {len(loaded)} questions{skipped}, answers: {kinds}")
        for note in loaded.notes:
            say(note)
        questions = loaded
    chosen = list(questions)
    if settings.limit and len(chosen) > settings.limit:
        _, chosen = split_questions(chosen, settings.limit / len(chosen), settings.seed)
    if not chosen:
        raise AurifyError(f"{settings.data}: no question is left to {purpose}")
    return chosen
