"""How many positions a model has, by its configuration."""

from __future__ import annotations

from typing import Any


def positions_in(config: Any) -> int | None:
    """The most positions that a sequence may take; None where the configuration states none."""
    if hasattr(config, "get_text_config"):
        config = config.get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if isinstance(limit, int) and limit > 0 else None
