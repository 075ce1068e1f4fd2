"""Choices: a letter or an option's text, in the forms that models give them."""

from __future__ import annotations

import random

QUESTION = "Which?\n(A) red clay\n(B) blue slate\n(C) green glass\n(D) dry cork\n(E) old rope"


def choice(rng: random.Random, equal: bool) -> tuple[str, str]:
    """A prediction and a gold answer."""
    options = dict(line[1:].split(") ") for line in QUESTION.split("\n")[1:])
    gold = rng.choice(list(options))
    letter = gold if equal else rng.choice([other for other in options if other != gold])
    dress = rng.choice(_CHOICES)
    return dress.format(letter=letter, text=options[letter], small=letter.lower()), rng.choice((gold, f"({gold})"))


_CHOICES = [
    "{letter}",
    "({letter})",
    "{letter}.",
    "{letter})",
    "[{letter}]",
    "**{letter}**",
    "**({letter})**",
    "option {letter}",
    "choice ({letter})",
    "{text}",
    "({letter}) {text}",
    "{letter}. {text}",
    "{letter}: {text}",
    "\\text{{{letter}}}",
    "\\text{{({letter})}}",
    "({letter}), because it floats",
    "{letter} because the others sink",
    "'{text}'",
    "({small})",
    "`{letter}`",
    "{letter}, since it is light",
    "$({letter})$",
]
