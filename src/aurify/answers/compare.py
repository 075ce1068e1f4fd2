"""Compares one answer with one gold answer by answer type; what takes algebra or foreign code is left to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurify.answers import latex
from aurify.answers.choice import read_choice, same_choice
from aurify.answers.extract import last_statement, stated
from aurify.answers.number import read_number, same_number
from aurify.answers.pool import Job
from aurify.answers.reading import MAX_ANSWER, Unreadable, shown, well_formed
from aurify.answers.verdict import Grade, Verdict
from aurify.answers.words import read_words, words_key

ANSWER_TYPES = ("number", "choice", "text", "math")


@dataclass(frozen=True)
class Asked:
    """A comparison that only a worker can make, and the answer that was read."""

    job: Job
    predicted: str


def extract(text: str, kind: str, listed: Mapping[str, str]) -> str:
    """The answer that a rationale states, in the form that verdicts and votes show: ``1450``, ``(B)``, words, LaTeX.

    The user's own comparison (``module:function``) gets the stated answer, or else the whole text.

    Raises:
        Unreadable: the text states none that can be read.
    """
    text = well_formed(text)
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
    if kind == "number":
        return read_number(answer).with_unit()
    if kind == "choice":
        return read_choice(answer, listed)
    if kind == "text":
        return read_words(answer)
    if kind == "math":
        latex.tidy(answer)
    elif len(answer) > MAX_ANSWER:
        raise Unreadable(f"longer than {MAX_ANSWER} characters")
    elif not answer.strip():
        raise Unreadable("empty")
    return answer.strip()


def compare(predicted: str, gold: str, kind: str, listed: Mapping[str, str]) -> Grade | Asked:
    """The verdict on a canonical answer, or what a worker has to be asked for it."""
    gold = well_formed(gold)
    if ":" in kind:
        return Asked(Job("custom", predicted, gold, kind), predicted)
    try:
        gold = canonical(bare_gold(gold), kind, listed)
        outcome = _outcome(predicted, gold, kind)
    except Unreadable as error:
        return Grade(Verdict.UNPARSABLE, f"the gold answer {shown(gold)} is unreadable: {error}", predicted)
    if isinstance(outcome, Asked):
        return outcome
    if outcome is None:
        return Grade(Verdict.WRONG, f"{shown(predicted)} is not {shown(gold)}", predicted)
    return Grade(Verdict.RIGHT, outcome, predicted)


def bare_gold(gold: str) -> str:
    """A gold answer is bare, but a whole gold solution (``#### 72``, a box) is understood."""
    found = last_statement(gold) if "####" in gold or "boxed" in gold else None
    return found[0] if found else gold


def _outcome(predicted: str, gold: str, kind: str) -> str | Asked | None:
    """Why the two are equal; None: they are not."""
    if kind == "number":
        return same_number(read_number(predicted), read_number(gold))
    if kind == "choice":
        return "the same choice" if same_choice(predicted, gold) else None
    if kind == "text":
        return "the same words" if words_key(predicted) == words_key(gold) else None
    ours, theirs = latex.tidy(predicted), latex.tidy(gold)
    outcome = latex.compare_written(ours, theirs)
    if outcome is None:
        return Asked(Job("math", ours, theirs), predicted)
    return outcome or None
