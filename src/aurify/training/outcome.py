"""What a run's chains came to, in words: which questions were never answered rightly, and what may help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from aurify.rationales import Chain

SOLVED = 0.9
"""From this share of right proposals on, over the run, a question counts as solved."""
ENOUGH_COSINES = 10
"""Of successive gradients: a mean of fewer says little."""
NOISY = 0.1
"""A share of signal below which more questions a step are worth a try."""


def outcome(chains: Sequence[Chain], *, guided: bool, moves: str) -> list[str]:
    """Lines for the end of a run; none where nothing was visited.

    Shares are over the whole run, in which the model changed, so they are no estimate of p(y | x) at its end. With
    ``--moves suffix`` a question has whole proposals only until one is right, so theirs would be none of any time.

    Args:
        guided: whether the guide cannot help: chains were started from something, or nothing is learned from them.
        moves: how chains moved, in words of ``--moves``.
    """
    visited = [chain for chain in chains if chain.visits]
    if not visited:
        return []
    never = sum(not chain.right for chain in visited)
    solved = sum(chain.accepted >= SOLVED * chain.drawn for chain in visited if chain.drawn)
    lines = [
        f"{never} of {len(visited)} questions never had a right rationale"
        + (_advice(guided=guided, moves=moves) if never else "")
        + (f"; {solved} were right in {100 * SOLVED:.0f} % of proposals or more" if moves != "suffix" else "")
    ]
    stuck = [chain for chain in visited if chain.right and not chain.accepted and not chain.others_taken]
    if stuck:
        lines.append(f"{len(stuck)} chains stand on their first rationale and never took a proposal")
    others, moved = sum(chain.others for chain in visited), sum(chain.others_taken for chain in visited)
    if others:
        drawn, accepted = sum(chain.drawn for chain in visited), sum(chain.accepted for chain in visited)
        lines.append(
            f"{'guide' if moves == 'guide' else 'suffix'} moves: {moved} of {others} visits took one; "
            f"whole proposals: {accepted} of {drawn} right"
        )
    return lines


def over_the_run(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the steps had on average, in words, from a run's metrics: groups that tell nothing, and signal."""
    lines, found = list(lines), []
    dead, solved, cosines = (_values(lines, key) for key in ("dead_groups", "solved_groups", "gradient_cosine"))
    if dead and solved:
        found.append(
            f"of a question's proposals in a step, {100 * fmean(dead):.0f} % of the time all were wrong and "
            f"{100 * fmean(solved):.0f} % all right, of which none tells better from worse"
        )
    if len(cosines) >= ENOUGH_COSINES:
        share = max(0.0, fmean(cosines))
        found.append(
            f"about {100 * share:.0f} % of a gradient's power is signal (mean cosine of successive steps"
            + ("); more --questions a step make it more" if share < NOISY else ")")
        )
    return found


def _values(lines: Iterable[Mapping[str, Any]], key: str) -> list[float]:
    return [float(line[key]) for line in lines if key in line]


def _advice(*, guided: bool, moves: str) -> str:
    need = " (suffix moves need one first)" if moves in ("suffix", "mixed") else ""
    return f"{need}: try " + ("worked examples (--few-shot)" if guided else "--memory guide or --few-shot")
