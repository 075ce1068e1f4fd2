"""No search for garbage while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Around what makes many objects that all live on: a fifth of the time in which torch and transformers are
    imported, and a quarter of that in which a large report is made, go into garbage that is not there."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
