"""aurify vote: one answer a question out of several samples, whoever made them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from aurify.cli.numbers import check_target
from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.progress import Ticker
from aurify.voting.settings import VoteSettings

if TYPE_CHECKING:
    from aurify.voting.ballots import VotedQuestion
    from aurify.voting.case import Case

_RANKS = {"wrong to right": 0, "right to wrong": 1, "between wrong ones": 2, "unjudged": 3, "none": 4}


def run(settings: VoteSettings) -> None:
    """Vote on the samples of each question: the answer, how confident the vote is, and the rationale that won.

    FILE is a run's folder, a rationale table, or rows from anywhere: a question's id or text and a rationale's text,
    or a list of samples (see aurify.rationales.read_rationales). One line of JSON a question is written. Equivalent
    answers count as one; an answer that cannot be read never wins.
    """
    check_target(settings.out, "--out", read=[settings.file, settings.data])
    from aurify.files import atomic_writer
    from aurify.voting.ballots import run_vote

    tally, ticker = _Tally(settings), Ticker(say)
    with ExitStack() as stack:
        out = None if settings.out is None else stack.enter_context(atomic_writer(settings.out))
        for answered in run_vote(settings, say=say):
            line = json.dumps(answered.to_dict()) + "\n"
            if out is None:
                sys.stdout.write(line)
            else:
                out.write(line.encode())
            tally.add(answered)
            if out is not None:  # else the lines themselves tell
                ticker.tick(lambda: f"{tally.questions:,} questions voted on so far")
    for line in tally.lines():
        say(line)


register = partial(add_command, name="vote", kind=VoteSettings, run=run, positional="file")


class _Tally:
    """What a person wants to know of all votes, and the cases asked for."""

    def __init__(self, settings: VoteSettings) -> None:
        self.settings, self.kind = settings, ""
        self.questions = self.samples = self.silent = self.ties = self.learned = 0
        self.credits: list[float] = []
        self.changes: Counter[str] = Counter()
        self.cases: dict[str, list[Case]] = {name: [] for name in _RANKS}
        """The first of each kind, as many as may be shown."""

    def add(self, answered: VotedQuestion) -> None:
        self.kind = answered.kind
        self.questions += 1
        self.samples += answered.spent
        self.silent += answered.answer is None
        self.ties += len(answered.ballot.leaders) > 1
        if answered.credit is not None:
            self.credits.append(answered.credit)
            self.learned += answered.learned
        if self.settings.cases or self.settings.ranker is not None:
            case = answered.case(self.settings.weight)
            self.changes[case.change] += 1
            if len(self.cases[case.change]) < self.settings.cases:
                self.cases[case.change].append(case)

    def lines(self) -> Iterator[str]:
        import numpy as np

        from aurify.statistics.intervals import bootstrap_means
        from aurify.voting.case import lines

        yield (
            f"{self.questions} questions, {self.samples / self.questions:.2f} samples each, vote {self.kind}: "
            f"{self.ties} ties, {self.silent} without an answer"
        )
        if self.credits:
            credits = np.array(self.credits)
            low, high = bootstrap_means(credits[:, None], self.settings.seed)
            yield f"accuracy {100 * credits.mean():.1f} % (95 % interval {100 * low[0]:.1f} to {100 * high[0]:.1f})"
        if self.learned:
            told = f"{self.learned} of the {len(self.credits)} questions are those that the ranker learned from"
            yield f"{told}, so that flatters it: aurify rank says what it wins on others"
        if self.settings.ranker is not None:
            yield "adaptive voting over the majority: " + ", ".join(
                f"{self.changes[name]} {name}" for name in _RANKS if self.changes[name]
            )
        for case in [case for name in _RANKS for case in self.cases[name]][: self.settings.cases]:
            yield ""
            yield from lines(case)
