"""Texts: words in other letters, in quotes and marks."""

from __future__ import annotations

import random
from collections.abc import Callable


def text(rng: random.Random, equal: bool) -> tuple[str, str]:
    """A prediction and a gold answer."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(rng.randint(1, 4))]
    gold = " ".join(words)
    said = gold
    if not equal:
        at = rng.choice([i for i, c in enumerate(gold) if c.isalpha()])
        said = gold[:at] + rng.choice([c for c in letters if c != gold[at]]) + gold[at + 1 :]
    return rng.choice(_TEXTS)(said), gold


_TEXTS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    str.capitalize,
    lambda t: f"'{t}'",
    lambda t: f'"{t}"',
    lambda t: f"“{t}”",
    lambda t: f"**{t}**",
    lambda t: f"`{t}`",
    lambda t: f"*{t}*",
    lambda t: f"{t}!",
    lambda t: f"{t},",
    lambda t: t.replace(" ", "  "),
    lambda t: f" {t} ",
    lambda t: f"\\text{{{t}}}",
    lambda t: f"\\textbf{{{t}}}",
    lambda t: f"«{t}»",
    lambda t: f"'{t.title()}'",
    lambda t: f"**{t.upper()}**",
    lambda t: f"‘{t}’",
]
