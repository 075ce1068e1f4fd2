"""A question whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question with its known answer; everything else in aurify refers to it by ``id``."""

    id: str
    text: str
    answer: str
    """The gold answer in its canonical form: ``1450`` rather than ``#### 1,450``; empty where none is needed."""
    answer_type: str
    """``number``, ``choice``, ``text``, ``math`` (``ANSWER_TYPES``), or the user's own ``module:function``."""
    task: str = ""
    """The data set or file the question came from; results are broken down by it."""
    level: str = ""
    rationale: str | None = None
    """A gold rationale, where the file holds one (GSM8K and MATH do)."""
    accepted: tuple[str, ...] = ()
    """Other answers that also count as right; a hint tells ``answer``."""
    columns: str = ""
    """The whole row as JSON, where the answer type judges by it: a reward function's columns, a program's tests."""
    where: str = ""
    """``file:line`` of the row, or ``row N`` of those given in Python, for messages."""
