"""Freed memory that the C library keeps, and how large models' work leaves less of it (glibc; nothing elsewhere).

glibc gives blocks below 32 MB back to the system only when asked, and cuts free ones into pieces that the next ones, of
other shapes, do not fit into. An update's activations are thousands of such blocks: three steps of SmolLM2 135M
(LoRA, bfloat16, 32 rationales of GSM8K) took 6.1 GiB in all, and 4.0 with blocks of their own.

A block of its own has new pages each time, which the system must clear. Drawing asks for the same few sizes at every
token, so while it goes on blocks are kept: of the time in which Qwen2.5-Coder 0.5B drew 64 rationales in bfloat16, 20 %
had gone there. Pages of 2 MB instead of 4 KB take a third of the time, where the system has them; ``cli.app`` has torch
ask for them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol

from torch import nn

_LARGE = 2**25  # parameters; what a smaller model leaves is not worth the asking
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_APART, _TOGETHER = 2**20, 2**25
"""Bytes from which on a block is the system's own and goes back to it when it is freed; 2^25 is the most there is."""
_KEPT = 2**30
"""Bytes at the top of the heap that stay free while blocks are kept, until ``give_back`` asks for them."""


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
    tune = tune or mallopt()
    if tune is not None and _is_large(model):
        tune(_MMAP_THRESHOLD, _APART)


@contextmanager
def blocks_together(model: nn.Module, tune: Tune | None = None) -> Iterator[None]:
    """Keep freed blocks while this goes on, where ``keep_blocks_apart`` was asked of a model that is trained.

    Args:
        tune: see ``keep_blocks_apart``.
    """
    tune = tune or mallopt()
    if tune is None or not _is_large(model) or not any(parameter.requires_grad for parameter in model.parameters()):
        yield
        return
    tune(_MMAP_THRESHOLD, _TOGETHER)
    tune(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        tune(_MMAP_THRESHOLD, _APART)


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
