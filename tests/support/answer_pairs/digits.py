"""Digits, one of them changed."""

from __future__ import annotations

import random


def changed(rng: random.Random, digits: str) -> str:
    """The digits with one of them changed, never into another spelling of the same number."""
    places = [i for i, c in enumerate(digits) if c.isdigit()]
    at = rng.choice(places)
    other = rng.choice([d for d in "0123456789" if d != digits[at] and not (d == "0" and at == places[0])])
    return digits[:at] + other + digits[at + 1 :]
