"""Rows of a data set of the Hugging Face hub: ``hf:NAME[:CONFIG[:SPLIT]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aurify.errors import AurifyError, UsageError, nearest
from aurify.questions.rows import Row
from aurify.text import first_line

PREFIX = "hf:"


def hub_task(source: str) -> str:
    """The task's name: the configuration where there is one that says something, else the data set's last part."""
    name, config, _ = _parts(source)
    return config if config not in (None, "main", "default", "all") else name.rstrip("/").rpartition("/")[2]


def hub_rows(source: str) -> tuple[Iterator[Row], str]:
    """(rows, the split that was taken). Without a split it is ``train``, or the first one there is.

    Raises:
        UsageError: the source is not of the form above, or has no such split.
        AurifyError: the data set cannot be loaded.
    """
    import datasets

    name, config, split = _parts(source)
    try:
        found: Any = datasets.load_dataset(name, config)
    except Exception as error:  # the hub client raises its own, requests', pyarrow's and plain exceptions
        raise AurifyError(f"{source}: cannot be loaded: {first_line(error)}") from error
    if split is None:
        split = "train" if "train" in found else next(iter(found))
    if split not in found:
        raise UsageError(f"{source}: no split '{split}': {nearest(split, found)}")
    return (Row(source, number, dict(row)) for number, row in enumerate(found[split], start=1)), split


def _parts(source: str) -> tuple[str, str | None, str | None]:
    parts = source.removeprefix(PREFIX).split(":")
    if not parts[0] or len(parts) > 3:
        raise UsageError(f"{source}: expected hf:NAME, hf:NAME:CONFIG or hf:NAME:CONFIG:SPLIT")
    name, config, split = [*parts, "", ""][:3]
    return name, config or None, split or None
