"""What an answer type is: its word, how its answers are read, and when two of them are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable
from aurify.answers.verdict import Grade

if TYPE_CHECKING:  # the questions room imports this one
    from aurify.questions.record import Question

Read = Callable[[str, Mapping[str, str]], str]
"""``read(answer, listed)``: a bare answer in the form that verdicts and votes show. ``listed`` are the question's
options by letter, empty where it has none. It raises ``Unreadable`` for what is no answer of the type."""

Same = Callable[[str, str], "str | Job | None"]
"""``same(predicted, gold)`` of two answers that were read: why they are equal; None where they are not; or the job
that a worker process has to do to know."""


@dataclass(frozen=True)
class AnswerType:
    """One row of the table ``ANSWER_TYPES``. Fields of a subclass made by ``setting`` are flags of the commands."""

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

    compares: ClassVar[bool] = True
    """Whether answers are compared with a gold one, and so with one another: votes need it."""
    inferred: ClassVar[bool] = True
    """Whether a row of a file may choose it by itself."""

    @property
    def at_a_time(self) -> int:
        """How many comparisons are made at a time: in worker processes, or in threads where Python gave a function."""
        return 1

    def at(self, folder: str | Path | None) -> AnswerType:
        """The type as it is used in the folder of a run; None: nothing is kept."""
        return self

    def close(self) -> None:
        """Give back what it holds."""


def _read_nothing(answer: str, listed: Mapping[str, str]) -> str:
    raise Unreadable("answers of this type are judged whole")


@dataclass(frozen=True)
class Judging(AnswerType):
    """A type that judges a rationale whole, by what its question's row holds (``Question.columns``).

    It compares with no gold answer, so a question needs none, and there is no vote. A subclass has ``plan``, or
    ``judge``.
    """

    read: Read = _read_nothing
    same: Same = lambda predicted, gold: None
    in_worker: bool = True

    compares: ClassVar[bool] = False
    inferred: ClassVar[bool] = False
    together: ClassVar[bool] = False
    """Whether many are judged at once (``judge``), and so none ahead of the others."""
    verifies: ClassVar[bool] = False
    """Whether a gold answer, where there is one, must be right by it."""

    def plan(self, text: str, question: Question) -> Grade | Job:
        """The verdict on a whole rationale, or the job that a worker has to do to know."""
        raise NotImplementedError  # abstract: not asked where ``judge`` gives the verdicts

    def judge(self, items: Sequence[tuple[str, Question]]) -> list[Grade] | None:
        """The verdicts on all of these together; None: they are planned one by one."""
        return None

    def told(self) -> str | None:
        """What a user should know who chose it, in one line."""
        return None

    def lacks(self, columns: Mapping[str, object], answer: str) -> str | None:
        """What a question's row and its known answer, if any, lack to be judged, in half a line; None: nothing."""
        return None
