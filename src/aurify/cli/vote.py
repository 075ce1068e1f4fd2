"""aurify vote: one answer a question out of several samples, whoever made them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from aurify.cli.numbers import check_target
from aurify.cli.options import add_command
from aurify.cli.progress import say
from aurify.voting.settings import VoteSettings

if TYPE_CHECKING:
    from aurify.voting.ballots import VotedQuestion

_RANKS = {"wrong to right": 0, "right to wrong": 1, "between wrong ones": 2, "unjudged": 3, "none": 4}


def run(settings: VoteSettings) -> None:
    """Vote on the samples of each question: the answer, how confident the vote is, and the rationale that won.

    FILE is a run's folder, a rationale table, or rows from anywhere: a question's id or text and a rationale's text,
    or a list of samples (see aurify.rationales.read_rationales). One line of JSON a question is written. Equivalent
    answers count as one; an answer that cannot be read never wins.
    """
    check_target(settings.out, "--out")
    from aurify.files import write_atomically
    from aurify.voting.ballots import run_vote

    found = run_vote(settings, say=say)
    text = "".join(json.dumps(answered.to_dict()) + "\n" for answered in found)
    if settings.out is None:
        sys.stdout.write(text)
    else:
        write_atomically(settings.out, text)
    for line in _summary(found, settings):
        say(line)


register = partial(add_command, name="vote", kind=VoteSettings, run=run, positional="file")


def _summary(found: Sequence[VotedQuestion], settings: VoteSettings) -> Iterator[str]:
    """What a person wants to know of all votes, and the cases asked for."""
    from aurify.statistics.intervals import bootstrap_means
    from aurify.voting.case import lines

    samples = sum(answered.spent for answered in found)
    silent = sum(answered.answer is None for answered in found)
    ties = sum(len(answered.ballot.leaders) > 1 for answered in found)
    yield (
        f"{len(found)} questions, {samples / len(found):.2f} samples each, vote {found[0].kind}: "
        f"{ties} ties, {silent} without an answer"
    )
    import numpy as np

    credits = np.array([answered.credit for answered in found if answered.credit is not None])
    if len(credits):
        low, high = bootstrap_means(credits[:, None], settings.seed)
        yield f"accuracy {100 * credits.mean():.1f} % (95 % interval {100 * low[0]:.1f} to {100 * high[0]:.1f})"
    if not settings.cases and settings.ranker is None:
        return
    cases = [answered.case(settings.weight) for answered in found]
    if settings.ranker is not None:
        changes: Counter[str] = Counter(case.change for case in cases)
        yield "adaptive voting over the majority: " + ", ".join(
            f"{changes[name]} {name}" for name in _RANKS if changes[name]
        )
    for case in sorted(cases, key=lambda case: _RANKS[case.change])[: settings.cases]:
        yield ""
        yield from lines(case)
