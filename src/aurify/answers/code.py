"""``code``: the last code block of a rationale is a program, which is run against its question's tests.

It runs in a process of its own, with limits of time, memory and output, and where the system has namespaces without
network and without files that it could write (``aurify.sandbox``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from aurify.answers.answer_type import Judging
from aurify.answers.exams import exam_of
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable, well_formed
from aurify.answers.thought import reply
from aurify.answers.verdict import Grade, Verdict
from aurify.registry import setting
from aurify.sandbox.trial import has_namespaces

if TYPE_CHECKING:
    from aurify.questions.record import Question

_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)\n", re.MULTILINE)
_LONGEST = 200_000
"""Characters of a program."""
_GRACE = 60.0
"""Seconds beyond the program's own that its worker has: to start two processes on a busy machine."""


@dataclass(frozen=True)
class Code(Judging):
    """The type of programs."""

    word: str = "code"
    about: str = "a program, run against the question's tests in a process that can be killed"
    code_timeout: float = setting(10.0, "Seconds that a program has for all its tests.", gt=0, le=86400)
    code_memory_mb: int = setting(512, "Memory of the process that runs a program, in MiB.", ge=64)

    verifies: ClassVar[bool] = True

    def plan(self, text: str, question: Question) -> Grade | Job:
        """What a worker has to run; see ``Judging``."""
        try:
            program = last_block(reply(well_formed(text)))
        except Unreadable as error:
            return Grade(Verdict.UNPARSABLE, str(error))
        exam = exam_of(json.loads(question.columns or "{}"))
        given = {"exam": exam, "seconds": self.code_timeout, "memory_mb": self.code_memory_mb}
        return Job("code", program, json.dumps(given), timeout=self.code_timeout + _GRACE)

    def lacks(self, columns: Mapping[str, object], answer: str) -> str | None:
        """Why there are no tests in the row."""
        try:
            exam_of(columns)
        except ValueError as error:
            return str(error)
        return None

    def told(self) -> str | None:
        """Where programs are not shut off, that they are not."""
        return None if _shut_off() else (
            "this system gives no namespaces: programs run within limits of time, memory and output, but reach the "
            "network and the files that you reach"
        )  # fmt: skip


def last_block(text: str) -> str:
    """The content of the last code block that is closed, or that the text ends in.

    Raises:
        Unreadable: there is none, it is empty, or too long.
    """
    found, place = None, 0
    while (opening := _FENCE.search(text, place)) is not None:
        closing = re.compile(rf"^[ \t]{{0,3}}{opening[1]}[ \t]*$", re.MULTILINE).search(text, opening.end())
        found = text[opening.end() : closing.start() if closing else len(text)]
        place = closing.end() if closing else len(text)
    if found is None:
        raise Unreadable("no code block")
    if not found.strip():
        raise Unreadable("the last code block is empty")
    if len(found) > _LONGEST:
        raise Unreadable(f"the last code block is longer than {_LONGEST} characters")
    return found


@cache
def _shut_off() -> bool:
    return has_namespaces()


CODE = Code()
