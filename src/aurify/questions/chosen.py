"""The questions that a command is about: read, told of, split, and limited in number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aurify.answers import answer_type
from aurify.errors import AurifyError
from aurify.questions.already_read import ReadAs, checked, refuse_other_answers, refuse_unread
from aurify.questions.apart import kept_apart
from aurify.questions.given import DataInPython, Name, RowsInPython, all_given, are_questions, are_rows
from aurify.questions.load import LoadedQuestions, load_questions
from aurify.questions.record import Question
from aurify.questions.split import split_questions

Say = Callable[[str], None]


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


def read_as(settings: ReadAs, data: Name | RowsInPython) -> LoadedQuestions:
    """``load_questions`` as the settings say."""
    return load_questions(
        data, answers=settings.answers, question_field=settings.question_field, answer_field=settings.answer_field,
        skip_bad=settings.skip_bad,
    )  # fmt: skip


def chosen_questions(
    settings: Asking, questions: DataInPython | None, say: Say, purpose: str, *, to_learn: bool = False
) -> list[Question]:
    """The questions given, or else those of ``settings.data``; a part by seed where there are more than the limit.

    Args:
        questions: names or rows are read as the settings say, questions taken as they are.
        to_learn: the part is one that a run of the same seed trains on; without it, one that such a run holds out.

    Raises:
        UsageError: what is given cannot be understood, or a setting says how to read what has been read.
        AurifyError: the data is bad, or no question is left to ``purpose``.
    """
    chosen = _understood(settings, {"data": settings.data if questions is None else questions}, say)["data"]
    if settings.limit:
        chosen = _at_most(chosen, settings.limit, settings.seed, from_held_out=not to_learn)
    if not chosen:
        raise AurifyError(f"{settings.data}: no question is left to {purpose}")
    return chosen


def questions_to_learn(
    settings: Learning, questions: DataInPython | None, held_out: DataInPython | None, say: Say
) -> tuple[list[Question], list[Question]]:
    """(training questions, those to measure on): given, or those of the settings' data, evaluation data and split.

    Raises:
        UsageError: what is given cannot be understood, or a setting says how to read what has been read.
        AurifyError: the data is bad, or no question is left to train on.
    """
    parts: dict[str, DataInPython] = {"data": settings.data if questions is None else questions}
    if (measured_on := (settings.eval_data or None) if held_out is None else held_out) is not None:
        parts["held_out"] = measured_on
    understood = _understood(settings, parts, say)
    train, held = understood["data"], understood.get("held_out")
    if held is None:
        train, held = split_questions(train, settings.holdout, settings.seed)
    if not train:
        raise AurifyError(f"{settings.data}: no question is left to train on: lower --holdout")
    measured = _at_most(kept_apart(train, held, say), settings.eval_limit, settings.seed)
    say(f"training on {len(train)} questions, evaluating on {len(measured)} of {len(held)} held out")
    return train, measured


def _understood(settings: Reading, parts: Mapping[str, DataInPython], say: Say) -> dict[str, list[Question]]:
    """The questions of each part, with all of what cannot be understood refused before any is read."""
    given = {what: all_given(part, what) for what, part in parts.items()}
    if all(map(are_questions, given.values())):
        refuse_unread(settings)
    already = {what: checked(found, what) for what, found in given.items() if are_questions(found)}
    for what, found in already.items():
        refuse_other_answers(settings, found, what)
    return {what: already[what] if what in already else _read(settings, given[what], what, say) for what in parts}


def _read(settings: Reading, given: list[Any], what: str, say: Say) -> list[Question]:
    try:
        loaded = read_as(settings, given)
    except AurifyError as error:
        raise type(error)(f"{what}: {error}" if are_rows(given) else str(error)) from None
    words = sorted(loaded.answer_types)
    own = f" ({answer_type(words[0]).about})" if words[0] == settings.answers and ":" in words[0] else ""
    kinds = ", ".join(words) + (" (inferred)" if loaded.inferred else own)
    skipped = f", {len(loaded.skipped)} rows left out" if loaded.skipped else ""
    say(f"{loaded.source}: {len(loaded)} questions{skipped}, answers: {kinds}")
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
