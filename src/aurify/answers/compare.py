"""Compares one answer with one gold answer by answer type; what takes algebra or foreign code is left to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurify.answers.extract import last_statement, stated
from aurify.answers.pool import Job
from aurify.answers.reading import Unreadable, shown, well_formed
from aurify.answers.thought import reply
from aurify.answers.types import answer_type
from aurify.answers.verdict import Grade, Verdict


@dataclass(frozen=True)
class Asked:
    """A comparison that only a worker can make, and the answer that was read."""

    job: Job
    predicted: str | None


def extract(text: str, kind: str, listed: Mapping[str, str]) -> str:
    """The answer that a rationale states, in the form that verdicts and votes show: ``1450``, ``(B)``, words, LaTeX.

    It is read from what follows the model's thought, where the text holds one (see ``thought``). The user's own
    comparison (``module:function``) gets the stated answer, or else all of that.

    Raises:
        Unreadable: the text states none that can be read, or its thought is never closed.
    """
    text = reply(well_formed(text))
    if ":" not in kind:
        return canonical(stated(text, kind), kind, listed)
    try:
        answer = stated(text, kind)
    except Unreadable:
        answer = text
    return canonical(answer, kind, listed)


def canonical(answer: str, kind: str, listed: Mapping[str, str]) -> str:
    """A bare answer in the form that verdicts and votes show.

    Raises:
        Unreadable: it is not an answer of this type.
    """
    return answer_type(kind).read(answer, listed)


def compare(predicted: str, gold: str, kind: str, listed: Mapping[str, str]) -> Grade | Asked:
    """The verdict on a canonical answer, or what a worker has to be asked for it."""
    gold = well_formed(gold)
    try:
        if ":" not in kind:  # the user's own function gets the gold answer as it stands in the file
            gold = canonical(bare_gold(gold), kind, listed)
        outcome = answer_type(kind).same(predicted, gold)
    except Unreadable as error:
        return Grade(Verdict.UNPARSABLE, f"the gold answer {shown(gold)} is unreadable: {error}", predicted)
    if isinstance(outcome, Job):
        return Asked(outcome, predicted)
    if outcome is None:
        return Grade(Verdict.WRONG, f"{shown(predicted)} is not {shown(gold)}", predicted)
    return Grade(Verdict.RIGHT, outcome, predicted)


def bare_gold(gold: str) -> str:
    """A gold answer is bare, but a whole gold solution (``#### 72``, a box) is understood."""
    stated_in_it = last_statement(gold) if "####" in gold or "boxed" in gold else None
    return gold if stated_in_it is None else stated_in_it
