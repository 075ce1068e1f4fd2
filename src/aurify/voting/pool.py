"""A pool: one question with the candidate rationales among which a vote decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aurify.errors import AurifyError
from aurify.voting.votes import fill_scores, logprob_scores


@dataclass(frozen=True)
class Candidate:
    """One sampled rationale as a vote and a ranker see it."""

    text: str
    answer: str | None
    """The answer that was read out of the text; None where there is none."""
    group: int | None
    """The group of equivalent answers (``aurify.answers.group_answers``); None: unparsable, it has no vote."""
    right: bool | None = None
    """The verdict; None: nobody has judged it."""
    logprob: float | None = None
    """log p(text | question) in nats under the model that wrote it; None: unknown."""
    tokens: int = 0
    """The tokens that ``logprob`` sums over; 0: unknown."""
    model: str = ""
    """Who wrote it."""


@dataclass(frozen=True)
class CandidatePool:
    """A question and its candidates, in the order in which they were drawn."""

    question_id: str
    question: str
    candidates: tuple[Candidate, ...]
    task: str = ""
    level: str = ""

    @property
    def asked(self) -> str:
        """The question's text, or its name where that is all that is known."""
        return self.question or self.question_id

    @property
    def groups(self) -> list[int | None]:
        """The candidates' groups [S]."""
        return [candidate.group for candidate in self.candidates]

    @property
    def logprob_scores(self) -> list[float]:
        """What the vote ``logprob`` weighs the candidates by [S].

        Raises:
            AurifyError: no candidate has a log-probability.
        """
        known = logprob_scores([candidate.logprob for candidate in self.candidates])
        if all(score is None for score in known):
            raise AurifyError(f"--vote logprob: no sample of question {self.question_id} has a log-probability")
        return fill_scores(known, len(known))

    def runs(self, size: int) -> list[CandidatePool]:
        """The pool cut into pools of ``size`` that share no candidate; what is left over is not used."""
        starts = range(0, len(self.candidates) - size + 1, size)
        return [replace(self, candidates=self.candidates[start : start + size]) for start in starts]


def right_groups(pool: CandidatePool) -> list[bool | None]:
    """Whether each group, by its number, is right: as right as the first of its members that was judged."""
    verdicts: dict[int, bool] = {}
    for candidate in pool.candidates:
        if candidate.group is not None and candidate.right is not None:
            verdicts.setdefault(candidate.group, candidate.right)
    count = 1 + max((group for group in pool.groups if group is not None), default=-1)
    return [verdicts.get(group) for group in range(count)]
