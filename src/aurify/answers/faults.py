"""What a user should know whose own function fails: the first time at once, and where it does nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from aurify.answers.pool import Job, JobResult
from aurify.answers.reading import shown
from aurify.errors import AurifyError

ALL_FAILED = 16
"""A reward function that fails on each of so many rationales, and on all before, has a fault of its own."""
_FAILED = ("unparsable", "timeout")


class Faults:
    """Failures of the user's functions; those of a built-in type are facts about answers.

    Args:
        say: takes a line for the user.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._failed: Counter[str] = Counter()
        self._served: set[str] = set()

    def heed(self, job: Job, outcome: JobResult) -> None:
        """Take note of an outcome.

        Raises:
            AurifyError: a reward function has failed ``ALL_FAILED`` times and done nothing else.
        """
        if not job.spec:
            return
        if outcome.word not in _FAILED:
            self._served.add(job.spec)
            return
        self._failed[job.spec] += 1
        why = outcome.reason if job.spec in outcome.reason else f"{job.spec}: {outcome.reason}"
        if outcome.word == "timeout" and job.op == "reward":
            why += " (--reward-timeout gives it longer)"
        about = f"of {json.loads(job.gold)['place']}" if job.op == "reward" else f"beside {shown(job.gold)}"
        if self._failed[job.spec] == 1:
            self._say(f"{why}, judging {shown(job.pred)} {about}; what it fails on is {outcome.word}")
        if job.op == "reward" and self._failed[job.spec] >= ALL_FAILED and job.spec not in self._served:
            raise AurifyError(
                f"{why}, judging {shown(job.pred)} {about}, and it failed on all {ALL_FAILED} rationales so far: mend "
                "it (what it cannot read should get a reward of 0)"
            )
