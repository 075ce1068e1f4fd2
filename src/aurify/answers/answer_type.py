"""What an answer type is: its word, how its answers are read, and when two of them are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aurify.answers.pool import Job

Read = Callable[[str, Mapping[str, str]], str]
"""``read(answer, listed)``: a bare answer in the form that verdicts and votes show. ``listed`` are the question's
options by letter, empty where it has none. It raises ``Unreadable`` for what is no answer of the type."""

Same = Callable[[str, str], "str | Job | None"]
"""``same(predicted, gold)`` of two answers that were read: why they are equal; None where they are not; or the job
that a worker process has to do to know."""


@dataclass(frozen=True)
class AnswerType:
    """One row of the table ``ANSWER_TYPES``."""

    word: str
    """What ``--answers`` calls it."""
    about: str
    """One line of help."""
    read: Read
    same: Same
    to_parse: Callable[[str], Job | None] = lambda answer: None
    """The job that tells whether a read answer can be parsed; None where reading it has told."""
    in_worker: bool = False
    """Whether some comparisons take a worker process; such answers are graded while others are still drawn."""
