"""What runs the model for the decode loop: prompts once each, then one token a row and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

PREFILL_TOKENS = 8_192
"""Prompt tokens in one forward pass."""


@dataclass
class Prefilled:
    """Prompts that ran once.

    ``logits_QV`` predict the token after each prompt, ``held_Q`` counts the positions that a prompt takes (soft
    prompt included), and ``cache`` is the engine's own.
    """

    logits_QV: Tensor
    held_Q: Tensor
    cache: Any


class Engine(Protocol):
    """Holds the key-value cache of the rows that decode."""

    pads: bool
    """Whether prompts that run together are padded to the longest."""

    def prefill(self, prompts: Sequence[tuple[int, ...]]) -> Prefilled:
        """Run some prompts, in one forward pass."""
        ...

    def refill(self, alive_R: Tensor, held_R: Tensor, new: Sequence[tuple[Prefilled, Tensor]]) -> Tensor:
        """Drop the rows that are not alive, then add rows at the end.

        Args:
            alive_R: which of the present rows stay.
            held_R: the positions that each present row has in the cache.
            new: prefilled prompts and, for each new row, the index of its prompt.

        Returns:
            The indices of the rows that stayed, in the order they now have.
        """
        ...

    def step(self, token_R: Tensor) -> Tensor:
        """Feed every row its newest token: logits (R, V) of the next."""
        ...
