"""The questions that a command is about: read, told of, split, and limited in number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from aurify.errors import AurifyError
from aurify.questions.apart import kept_apart
from aurify.questions.load import LoadedQuestions, load_questions
from aurify.questions.record import Question
from aurify.questions.split import split_questions

Say = Callable[[str], None]


class ReadAs(Protocol):
    """Settings that say how questions are read."""

    @property
    def answers(self) -> str | None: ...
    @property
    def question_field(self) -> str | None: ...
    @property
    def answer_field(self) -> str | None: ...
    @property
    def skip_bad(self) -> bool: ...


class Reading(ReadAs, Protocol):
    """Settings that say where questions are, too."""

    @property
    def data(self) -> str: ...
    @property
    def seed(self) -> int: ...


class Asking(Reading, Protocol):
    """Settings that ask questions."""

    @property
    def limit(self) -> int: ...


class Learning(Reading, Protocol):
    """Settings that learn from questions, and measure on others."""

    @property
    def eval_data(self) -> str | None: ...
    @property
    def holdout(self) -> float: ...
    @property
    def eval_limit(self) -> int: ...


def read_as(settings: ReadAs, data: str) -> LoadedQuestions:
    """``load_questions`` as the settings say."""
    return load_questions(
        data, answers=settings.answers, question_field=settings.question_field, answer_field=settings.answer_field,
        skip_bad=settings.skip_bad,
    )  # fmt: skip


def chosen_questions(
    settings: Asking, questions: Sequence[Question] | None, say: Say, purpose: str, *, to_learn: bool = False
) -> list[Question]:
    """The questions given, or else those of ``settings.data``; a part by seed where there are more than the limit.

    Args:
        to_learn: the part is one that a run of the same seed trains on; without it, one that such a run holds out.

    Raises:
        AurifyError: the data is bad, or no question is left to ``purpose``.
    """
    chosen = list(questions) if questions is not None else _read(settings, settings.data, say)
    if settings.limit:
        chosen = _at_most(chosen, settings.limit, settings.seed, from_held_out=not to_learn)
    if not chosen:
        raise AurifyError(f"{settings.data}: no question is left to {purpose}")
    return chosen


def questions_to_learn(
    settings: Learning, questions: Sequence[Question] | None, held_out: Sequence[Question] | None, say: Say
) -> tuple[list[Question], list[Question]]:
    """(training questions, those to measure on): given, or those of the settings' data, evaluation data and split.

    Raises:
        AurifyError: the data is bad, no question is left to train on, or one would be trained on and measured on.
    """
    train = list(questions) if questions is not None else _read(settings, settings.data, say)
    if held_out is None and settings.eval_data:
        held_out = _read(settings, settings.eval_data, say)
    if held_out is None:
        train, held_out = split_questions(train, settings.holdout, settings.seed)
    if not train:
        raise AurifyError(f"{settings.data}: no question is left to train on: lower --holdout")
    measured = _at_most(kept_apart(train, list(held_out), say), settings.eval_limit, settings.seed)
    say(f"training on {len(train)} questions, evaluating on {len(measured)} of {len(held_out)} held out")
    return train, measured


def _read(settings: Reading, data: str, say: Say) -> list[Question]:
    loaded = read_as(settings, data)
    kinds = ", ".join(sorted(loaded.answer_types)) + (" (inferred)" if loaded.inferred else "")
    skipped = f", {len(loaded.skipped)} rows left out" if loaded.skipped else ""
    say(f"{data}: {len(loaded)} questions{skipped}, answers: {kinds}")
    for note in loaded.notes:
        say(note)
    return list(loaded)


def _at_most(questions: list[Question], limit: int, seed: int, *, from_held_out: bool = True) -> list[Question]:
    """All of them, or a part of ``limit`` by seed: of those that a run of the seed holds out first, or last."""
    if len(questions) <= limit:
        return questions
    share = limit / len(questions)
    return (
        split_questions(questions, share, seed)[1] if from_held_out else split_questions(questions, 1 - share, seed)[0]
    )
