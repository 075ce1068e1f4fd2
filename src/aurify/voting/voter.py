"""The votes of an evaluation: what a vote makes of each question's judged samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from aurify.questions import Question
from aurify.rationales import Rationale
from aurify.voting.gather import grouped_pool
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.ranker import Ranker, load_ranker
from aurify.voting.samples import sizes
from aurify.voting.stopping import StopRule, stops
from aurify.voting.votes import VoteKind, credit, vote


class Voter:
    """Holds one kind of vote on every question.

    Args:
        ranker: a ranker's folder; None is for self-consistency alone.
        stop: when drawing ends (see ``settled``).
        say: is told, once, if the ranker was trained on another model's samples.

    Raises:
        UsageError: the ranker looks at samples that ``stop`` would leave undrawn.
        AurifyError: the ranker's folder is none, or is damaged.
    """

    def __init__(
        self, kind: VoteKind, ranker: str | None, weight: float, stop: StopRule, say: Callable[[str], None]
    ) -> None:
        self._kind = kind
        self._ranker: Ranker | None = load_ranker(ranker) if ranker else None
        if self._ranker is not None:
            self._ranker.refuse_to_look_ahead(stop)
        self._weight = weight
        self._say = say
        self._warned = False

    def credits(
        self, question: Question, samples: Sequence[Rationale], groups: Sequence[int | None]
    ) -> dict[str, float]:
        """``asc@k`` and the like for every k up to the pool: the mean credit of the votes among k samples.

        The pool is cut into runs of k that share no sample, as for ``maj@k``.
        """
        pool = self._pool(question, samples, groups)
        runs = {k: pool.runs(k) for k in sizes(len(samples))}
        scored = iter(self._scores(pool, [run for one in runs.values() for run in one]))
        return {
            f"{self._kind}@{k}": float(np.mean([self._credit(run, next(scored)) for run in one]))
            for k, one in runs.items()
        }

    def settled(
        self,
        question: Question,
        samples: Sequence[Rationale],
        groups: Sequence[int | None],
        left: int,
        sure: float,
        rule: StopRule,
    ) -> bool:
        """Whether ``rule`` draws no more of this question, of which ``left`` samples more could be drawn."""
        pool = self._pool(question, samples, groups)
        (scores,) = self._scores(pool, [pool])
        return stops(
            pool.groups, None if scores is None else scores.tolist(), left, rule=rule, threshold=sure,
            kind=self._kind, weight=self._weight,
        )  # fmt: skip

    def credit(self, question: Question, samples: Sequence[Rationale], groups: Sequence[int | None]) -> float:
        """The credit of the vote among all these samples."""
        pool = self._pool(question, samples, groups)
        return self._credit(pool, self._scores(pool, [pool])[0])

    def _pool(self, question: Question, samples: Sequence[Rationale], groups: Sequence[int | None]) -> CandidatePool:
        pool = grouped_pool(question, samples, groups)
        if self._ranker is not None and not self._warned and (warning := self._ranker.warning([pool])):
            self._say(warning)
            self._warned = True
        return pool

    def _scores(self, pool: CandidatePool, runs: Sequence[CandidatePool]) -> list[NDArray[np.float64] | None]:
        """The scores of each run; a ranker that looks at candidates alone is asked once for each."""
        if self._kind == "logprob":
            return [np.array(run.logprob_scores) for run in runs]
        if self._ranker is None:
            return [None] * len(runs)
        return [*self._ranker.runs_of([pool])(runs)]

    def _credit(self, run: CandidatePool, scores_S: NDArray[np.float64] | None) -> float:
        given = None if scores_S is None else scores_S.tolist()
        return credit(vote(run.groups, given, kind=self._kind, weight=self._weight), right_groups(run))
