"""Groups equivalent answers, so that votes count ``0.5`` and ``\\frac12`` as one."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.answers.grader import Grader


def group_answers(answers: Sequence[str | None], answer_type: str, grader: Grader) -> list[int | None]:
    """The group of every sample's answer, counted from 0 in order of first appearance.

    An answer joins the first group whose first member it equals. None and what cannot be read are in no group (None),
    so they never win a vote. A comparison that times out joins nothing.
    """
    first_members: list[str] = []
    known: dict[str, int | None] = {}
    for answer in answers:
        if answer is None or answer in known:
            continue
        known[answer] = None
        if not grader.readable(answer, answer_type):
            continue
        equal = (i for i, first in enumerate(first_members) if grader.same(answer, first, answer_type))
        found = next(equal, None)
        if found is None:
            found = len(first_members)
            first_members.append(answer)
        known[answer] = found
    return [None if answer is None else known[answer] for answer in answers]
