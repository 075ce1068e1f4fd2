"""What a model's tokens cost: a table of list prices, and the user's own."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

from aurify.collecting.api.records import Usage
from aurify.toml import tomllib

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})$")


class Price(NamedTuple):
    """USD per million tokens."""

    input: float
    output: float

    def of(self, usage: Usage) -> float:
        """The cost in USD."""
        return (usage.prompt * self.input + usage.completion * self.output) / 1e6


def price_of(model: str) -> Price | None:
    """The list price of a model (``prices.toml``); None if unknown.

    A dated name (``gpt-4o-2024-08-06``) that has no row of its own costs what the name without the date costs.
    """
    table = tomllib.loads(files("aurify.collecting.api").joinpath("prices.toml").read_text(encoding="utf-8"))
    found = table.get(model) or table.get(_DATED.sub("", model))
    return None if found is None else Price(float(found["input"]), float(found["output"]))
