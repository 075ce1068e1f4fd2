"""The best of a geometric grid of learning rates, which grows until its best is not at its edge."""

from __future__ import annotations

from collections.abc import Callable

FIRST = 8e-4
"""Where a grid begins, with its neighbours to either side."""
FACTOR = 2.0


def best_rate(score: Callable[[float], float], trials: int) -> float:
    """The rate with the best score of those tried: ``FIRST`` and half of it, then further toward the better side.

    It ends once the best has a worse neighbour on either side, or after so many trials (the caller says which, by the
    rates that it scored). With one trial there is nothing to choose from.
    """
    found = {FIRST: score(FIRST)} if trials > 1 else {FIRST: 0.0}
    following = FIRST / FACTOR
    while len(found) < trials:
        found[following] = score(following)
        best = max(found, key=lambda rate: found[rate])
        if best not in (min(found), max(found)):
            break
        following = best / FACTOR if best == min(found) else best * FACTOR
    return max(found, key=lambda rate: found[rate])
