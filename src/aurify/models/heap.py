"""Freed memory that the C library keeps: glibc gives blocks below 32 MB back to the system only when asked."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Protocol

from torch import nn

_LARGE = 2**25  # parameters; what a smaller model leaves is not worth the asking


class Trim(Protocol):
    """``malloc_trim``: gives free memory back, keeping ``pad`` bytes at the top; 1 where there was any."""

    def __call__(self, pad: int, /) -> int: ...


@lru_cache(maxsize=1)
def malloc_trim() -> Trim | None:
    """The C library's; None where it has none."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except OSError:
        return None


def give_back(model: nn.Module, trim: Trim | None = None) -> None:
    """Ask for it after work with a large model on the CPU; nothing happens where the C library is another.

    The sampler's copies of the weights and an update's activations otherwise stay beside each other, in pieces that
    the next ones, of other shapes, do not fit into.

    Args:
        trim: how it is asked for [``malloc_trim``].
    """
    device = next(model.parameters()).device.type
    if device == "cpu" and sum(parameter.numel() for parameter in model.parameters()) >= _LARGE:
        trim = trim or malloc_trim()
        if trim is not None:
            trim(0)
