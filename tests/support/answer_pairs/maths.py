"""Mathematics: an expression of a family, and another one, or one with a digit changed."""

from __future__ import annotations

import random

from answer_pairs.digits import changed
from answer_pairs.families import FAMILIES


def mathematics(rng: random.Random, equal: bool) -> tuple[str, str]:
    """A prediction and a gold answer."""
    make, used = rng.choice(FAMILIES)
    numbers = [rng.randint(2, 99) for _ in range(3)]
    others = list(numbers)
    if not equal:
        at = rng.randrange(used)
        others[at] = int(changed(rng, str(numbers[at])))
    gold, said = make(numbers), make(others)
    if not equal and set(gold) & set(said):  # the change is another spelling of the same, as 2/4 of 3/6
        return mathematics(rng, equal)
    return rng.choice(said), gold[0]
