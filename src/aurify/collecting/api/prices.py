"""What a model's tokens cost: a table of list prices, and the user's own."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

from aurify.collecting.api.records import Usage
from aurify.collecting.keys import OPENAI
from aurify.errors import UsageError
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


def settled_price(
    model: str, url: str, given_in: float | None, given_out: float | None, money_cap: float, *, flags: str = "--"
) -> Price | None:
    """What a server's tokens are counted at: as given, else OpenAI's list price; None where nobody says.

    Args:
        flags: how the names of the flags begin that give price and cap.

    Raises:
        UsageError: one of two prices is given, or there is a cap on money and no price.
    """
    if (given_in is None) != (given_out is None):
        raise UsageError(f"{flags}price-in and {flags}price-out go together")
    if given_in is not None and given_out is not None:
        return Price(given_in, given_out)
    found = price_of(model) if url == OPENAI else None
    if found is None and money_cap:
        raise UsageError(
            f"{flags}money-cap: no price is known for '{model}': give {flags}price-in and {flags}price-out"
        )
    return found
