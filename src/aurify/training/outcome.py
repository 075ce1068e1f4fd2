"""What a run's chains came to, in words: which questions were never answered rightly, and what may help."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.rationales import Chain

SOLVED = 0.9
"""From this share of right proposals on, over the run, a question counts as solved."""


def outcome(chains: Sequence[Chain], *, guided: bool, moves: str) -> list[str]:
    """Lines for the end of a run; none where nothing was visited.

    Shares are over the whole run, in which the model changed, so they are no estimate of p(y | x) at its end.

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
        + f"; {solved} were right in {100 * SOLVED:.0f} % of proposals or more"
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


def _advice(*, guided: bool, moves: str) -> str:
    need = " (suffix moves need one first)" if moves in ("suffix", "mixed") else ""
    return f"{need}: try " + ("worked examples (--few-shot)" if guided else "--memory guide or --few-shot")
