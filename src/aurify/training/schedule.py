"""Which questions and which learning rate a step has: functions of its number, so a resumed run needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from aurify.seeds import stable_seed

Item = TypeVar("Item")


def batch_of_step(items: Sequence[Item], size: int, step: int, seed: int) -> list[Item]:
    """The items of a step (from 1): shuffled epochs without replacement, the incomplete last batch left out.

    No item occurs twice in a batch. ``size`` is capped at the number of items.

    Source: docs/methods.md, "The memory and its kernel (E-step)".
    """
    size = min(size, len(items))
    batches = len(items) // size
    epoch, index = divmod(step - 1, batches)
    order = np.random.default_rng(stable_seed(seed, "epoch", epoch)).permutation(len(items))
    return [items[i] for i in order[index * size : (index + 1) * size]]


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
