"""Which questions and which learning rate a step has: functions of its number, so a resumed run needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from aurify.seeds import stable_seed

Item = TypeVar("Item")


ROUND = 256
"""Questions of a round, at least; a round has four steps at least, too."""


def batch_of_step(items: Sequence[Item], size: int, step: int, seed: int, visits: int = 1) -> list[Item]:
    """The items of a step (from 1): shuffled epochs without replacement, the incomplete last batch left out.

    No item occurs twice in a batch. ``size`` is capped at the number of items.

    Args:
        visits: where there are items for more than one round (``rounds_of``), the epochs that each round has before the
            next one begins.

    Source: docs/methods.md, "The memory and its kernel (E-step)".
    """
    size = min(size, len(items))
    if (rounds := rounds_of(len(items), size, visits)) > 1:
        return _in_rounds(items, size, step, seed, visits, rounds)
    batches = len(items) // size
    epoch, index = divmod(step - 1, batches)
    order = np.random.default_rng(stable_seed(seed, "epoch", epoch)).permutation(len(items))
    return [items[i] for i in order[index * size : (index + 1) * size]]


def rounds_of(n: int, size: int, visits: int) -> int:
    """How many rounds n items are cut into, which are visited one after the other; 1 where all are visited in turn."""
    return max(1, n // max(ROUND, 4 * size)) if visits > 1 else 1


def _in_rounds(items: Sequence[Item], size: int, step: int, seed: int, visits: int, rounds: int) -> list[Item]:
    """Which of all rounds the step is in, and its batch there; all rounds are shuffled anew when they have ended."""
    lengths = [len(items) // rounds + (place < len(items) % rounds) for place in range(rounds)]
    ends = np.cumsum([visits * (length // size) for length in lengths])
    sweep, left = divmod(step - 1, int(ends[-1]))
    place = int(np.searchsorted(ends, left, side="right"))
    order = np.random.default_rng(stable_seed(seed, "sweep", sweep)).permutation(len(items))
    begin = sum(lengths[:place])
    own = [items[i] for i in order[begin : begin + lengths[place]]]
    within = left - int(ends[place - 1] if place else 0) + 1
    return batch_of_step(own, size, within, stable_seed(seed, "round", sweep, place))


def learning_rate(step: int, steps: int, peak: float, final: float, warmup: int) -> float:
    """The rate of a step (from 1): linear warm-up, then a cosine from ``peak`` to ``final * peak`` at the last step."""
    if step <= warmup:
        return peak * step / (warmup + 1)
    progress = (step - 1 - warmup) / max(steps - 1 - warmup, 1)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress)))


def fit_starts(steps: int, fits: int, growth: float) -> list[int]:
    """The first step (from 1) of each of ``fits`` fits that share ``steps``, each ``growth`` times the one before.

    Fewer than ``fits`` where there are not enough steps for all; none for no fits.
    """
    lengths = [growth**index for index in range(fits)]
    ends = [round(steps * sum(lengths[:index]) / sum(lengths)) for index in range(fits)]
    return sorted({1 + end for end in ends if end < steps})
