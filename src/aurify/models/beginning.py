"""What all prompts begin with, such as worked examples: it is run once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 16  # tokens; fewer are not worth a part of their own


def n_common(prompts: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all prompts begin with."""
    if not prompts:
        return 0
    first, last = min(prompts), max(prompts)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def n_worth_sharing(prompts: Sequence[tuple[int, ...]], left: int = 0) -> int:
    """The same, ``left`` tokens or more left to each; 0 of a single prompt, and where it is too short to matter."""
    if len(prompts) < 2:
        return 0
    length = min(n_common(prompts), min(map(len, prompts)) - left)
    return length if length >= _LEAST else 0
