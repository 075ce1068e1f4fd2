"""What the first step's own rationales tell a user of the run, before hours are spent on it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from aurify.questions.given import GIVEN_IN_PYTHON

FAULT_SHARE = 0.25
"""The share of rationales from which a fault is worth a line."""
NEARLY_ALL = 0.9
LEAST_RATIONALES = 16
"""With fewer rationales nothing is said of shares."""


def first_look(verdicts: Mapping[str, int], *, limit: int, model: str, data: str, stated: bool = True) -> list[str]:
    """Lines for the user: how many rationales of the first step are right, what is wrong, and what to do about it.

    Args:
        verdicts: how often each verdict occurs among what the model drew of itself.
        limit: tokens at which a rationale was cut.
        model, data: as the command line names them.
        stated: whether answers are read out of rationales, and not judged whole.
    """
    total, right = sum(verdicts.values()), verdicts.get("right", 0)
    if not total:
        return []
    others = [f"{count} {verdict}" for verdict, count in sorted(verdicts.items()) if verdict != "right" and count]
    lines = [f"first step: {right} of {total} rationales right" + (f", {', '.join(others)}" if others else "")]
    given = data == GIVEN_IN_PYTHON
    doctor = shlex.join(["aurify", "doctor", "--model", model, "--data", "FILE" if given else data])
    doctor += ", with a file of these questions" if given else ""
    if verdicts.get("truncated", 0) == total:
        return [*lines, f"  all are cut at {limit} tokens and count as wrong: --max-new-tokens sets another limit"]
    if not right:
        lines.append(f"  nothing can be learned where no rationale is right; what would help: {doctor}")
    if total < LEAST_RATIONALES:
        return lines
    if verdicts.get("truncated", 0) >= FAULT_SHARE * total:
        lines.append(f"  many are cut at {limit} tokens and count as wrong: --max-new-tokens sets another limit")
    if stated and verdicts.get("unparsable", 0) >= FAULT_SHARE * total:
        lines.append(f"  many state no answer that can be read; worked examples show the form (--few-shot): {doctor}")
    if right >= NEARLY_ALL * total:
        lines.append("  nearly all are right already: harder questions would teach more")
    return lines
