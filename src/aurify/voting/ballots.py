"""``aurify vote``: from samples of anywhere to answers, confidences and the winning rationales."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aurify.progress import each_once
from aurify.voting.case import Case, case_of
from aurify.voting.gather import read_pools
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.ranker import Ranker, load_ranker
from aurify.voting.settings import VoteSettings
from aurify.voting.stopping import spend
from aurify.voting.votes import Ballot, VoteKind, credit, vote


@dataclass(frozen=True)
class VotedQuestion:
    """One question's vote."""

    pool: CandidatePool
    scores: tuple[float, ...] | None
    kind: VoteKind
    ballot: Ballot
    spent: int
    """Samples that were looked at."""
    learned: bool = False
    """Whether the ranker has learned from this very question."""

    @property
    def answer(self) -> str | None:
        """The answer of the chosen rationale, None where no sample states one."""
        return None if self.ballot.chosen is None else self.pool.candidates[self.ballot.chosen].answer

    @property
    def credit(self) -> float | None:
        """How right the vote is; None where nobody has judged the samples."""
        judged_ones = [candidate.right for candidate in self.pool.candidates if candidate.right is not None]
        return credit(self.ballot, right_groups(self.pool)) if judged_ones else None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the output."""
        ballot, candidates = self.ballot, self.pool.candidates
        firsts: dict[int, str] = {}
        for candidate in candidates:
            if candidate.group is not None and candidate.answer is not None:
                firsts.setdefault(candidate.group, candidate.answer)
        found: dict[str, Any] = {
            "question_id": self.pool.question_id,
            "answer": self.answer,
            "confidence": ballot.confidence,
            "votes": [
                {"answer": firsts[g], "votes": ballot.votes[g]} for g in sorted(firsts, key=lambda g: -ballot.votes[g])
            ],
            "tied": len(ballot.leaders) > 1,
            "samples": self.spent,
            "rationale": None if ballot.chosen is None else candidates[ballot.chosen].text,
            "candidates": [self._candidate(index) for index in range(len(candidates))],
        }
        if self.scores is not None and ballot.chosen is not None:
            found["score"] = self.scores[ballot.chosen]
        if self.credit is not None:
            found["credit"] = self.credit
        return found

    def _candidate(self, index: int) -> dict[str, Any]:
        """A sample with what is known of it: its score where there are scores, and whether it is right where judged."""
        candidate = self.pool.candidates[index]
        found: dict[str, Any] = {"text": candidate.text, "answer": candidate.answer}
        if self.scores is not None:
            found["score"] = self.scores[index]
        if candidate.right is not None:
            found["right"] = candidate.right
        return found | {"chosen": True} if index == self.ballot.chosen else found

    def case(self, weight: float) -> Case:
        """The case view; without scores all weigh the same."""
        return case_of(self.pool, self.scores or [0.0] * len(self.pool.candidates), weight)


def run_vote(settings: VoteSettings, *, say: Callable[[str], None] = lambda text: None) -> Iterator[VotedQuestion]:
    """Vote on every question of the file, in order; of a table's, some are in memory at a time.

    Raises:
        UsageError: early stopping with a ranker that looks at all samples at once.
        AurifyError: nothing to vote on, or files that cannot be read.
    """
    for line in settings.unused:
        say(line)
    ranker = load_ranker(settings.ranker) if settings.ranker else None
    if ranker is not None:
        ranker.refuse_to_look_ahead(settings.stop)
    kind: VoteKind = settings.vote or ("asc" if ranker else "sc")
    once = each_once(say)
    for pools in read_pools(settings.file, settings, say):
        if settings.samples:
            pools = [replace(pool, candidates=pool.candidates[: settings.samples]) for pool in pools]
        yield from _hold(pools, ranker, kind, settings, once)


def _hold(
    pools: Sequence[CandidatePool],
    ranker: Ranker | None,
    kind: VoteKind,
    settings: VoteSettings,
    say: Callable[[str], None],
) -> Iterator[VotedQuestion]:
    """The votes on pools, their candidates scored by the ranker where there is one."""
    scored: list[tuple[float, ...] | None] = [None] * len(pools)
    if kind == "logprob":
        scored = [tuple(pool.logprob_scores) for pool in pools]
    elif ranker is not None:
        if warning := ranker.warning(pools):
            say(warning)
        scored = [tuple(scores.tolist()) for scores in ranker.scores(pools)]
    for pool, scores in zip(pools, scored, strict=True):
        spent = spend(
            pool.groups, scores, rule=settings.stop, threshold=settings.sure, kind=kind, weight=settings.weight
        ).samples
        cut_pool = replace(pool, candidates=pool.candidates[:spent])
        own = None if scores is None else scores[:spent]
        ballot = vote(cut_pool.groups, own, kind=kind, weight=settings.weight)
        yield VotedQuestion(cut_pool, own, kind, ballot, spent, ranker is not None and ranker.has_learned(pool))
