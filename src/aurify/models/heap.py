"""Freed memory that the C library keeps, and how large models' work leaves less of it (glibc; nothing elsewhere).

glibc gives blocks below 32 MB back to the system only when asked, and cuts free ones into pieces that the next ones, of
other shapes, do not fit into. An update's activations are thousands of such blocks: three steps of SmolLM2 135M
(LoRA, bfloat16, 32 rationales of GSM8K) took 6.1 GiB in all, and 4.0 with blocks of their own.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Protocol

from torch import nn

_LARGE = 2**25  # parameters; what a smaller model leaves is not worth the asking
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_BLOCK = 2**20
"""Bytes from which on a block is the system's own and goes back to it when it is freed. Its pages are new each time,
which costs an update some 10 % of its time."""


class Trim(Protocol):
    """``malloc_trim``: gives free memory back, keeping ``pad`` bytes at the top; 1 where there was any."""

    def __call__(self, pad: int, /) -> int: ...


class Tune(Protocol):
    """``mallopt``: sets a parameter of the allocator; 1 where it took it."""

    def __call__(self, parameter: int, value: int, /) -> int: ...


@lru_cache(maxsize=1)
def malloc_trim() -> Trim | None:
    """The C library's; None where it has none."""
    found: Trim | None = _of_the_c_library("malloc_trim")
    return found


@lru_cache(maxsize=1)
def mallopt() -> Tune | None:
    """The C library's; None where it has none."""
    found: Tune | None = _of_the_c_library("mallopt")
    return found


def _of_the_c_library(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None


def keep_blocks_apart(model: nn.Module, tune: Tune | None = None) -> None:
    """Let large blocks be the system's own from now on, where a large model is to be trained on the CPU.

    Args:
        tune: how it is asked for [``mallopt``].
    """
    if _is_large(model):
        tune = tune or mallopt()
        if tune is not None:
            tune(_MMAP_THRESHOLD, _BLOCK)


def give_back(model: nn.Module, trim: Trim | None = None) -> None:
    """Ask for it after work with a large model on the CPU.

    The sampler's copies of the weights and an update's activations otherwise stay beside each other.

    Args:
        trim: how it is asked for [``malloc_trim``].
    """
    if _is_large(model):
        trim = trim or malloc_trim()
        if trim is not None:
            trim(0)


def _is_large(model: nn.Module) -> bool:
    device = next(model.parameters()).device.type
    return device == "cpu" and sum(parameter.numel() for parameter in model.parameters()) >= _LARGE
