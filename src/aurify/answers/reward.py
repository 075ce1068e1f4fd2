"""A reward function of the user's own, in one of the forms of ``reward_forms``: it gives a score for each completion.

The score decides by a threshold; None leaves the sample out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aurify.answers.answer_type import Judging
from aurify.answers.custom import load_custom
from aurify.answers.pool import Job
from aurify.answers.reading import well_formed
from aurify.answers.reward_forms import Judged, lacking
from aurify.registry import setting

if TYPE_CHECKING:
    from aurify.questions.record import Question


@dataclass(frozen=True)
class Reward(Judging):
    """A reward function, by its word."""

    about: str = "a reward function of your own"
    reward_threshold: float = setting(
        0.5, "A rationale is right from this reward on.", allow_inf_nan=False
    )  # fmt: skip
    reward_timeout: float | None = setting(
        None, "Seconds that a reward function has for one rationale [5]", gt=0, le=86400
    )  # fmt: skip
    reward_workers: int = setting(
        1, "Rationales that a reward function judges at a time, as one that waits for a server may.", ge=1, le=256
    )  # fmt: skip

    @property
    def at_a_time(self) -> int:
        """See ``AnswerType``."""
        return self.reward_workers

    def plan(self, text: str, question: Question) -> Job:
        """What has to be called; see ``Judging``."""
        given = {
            "columns": question.columns, "question": question.text, "answer": question.answer, "task": question.task,
            "threshold": self.reward_threshold, "place": question.where or question.id,
        }  # fmt: skip
        return Job("reward", well_formed(text), json.dumps(given), self.word, self.reward_timeout or 0.0)

    def lacks(self, columns: Mapping[str, object], answer: str) -> str | None:
        """A parameter that nothing can be passed for; see ``Judging``."""
        return lacking(load_custom(self.word), self.word, Judged(columns, answer=answer))
