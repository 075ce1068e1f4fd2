"""Settings that are given and mean nothing where they are given: allowed, and said in one line."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.settings import Settings, spelling


def unused(settings: Settings, names: Iterable[str], why: str) -> str:
    """``--lora-rank, --lora-alpha: WHY``, of the named settings that are not as by default; empty where all are."""
    fields = type(settings).model_fields
    given = [
        spelling(name)
        for name in names
        if getattr(settings, name) != fields[name].get_default(call_default_factory=True)
    ]
    return f"{', '.join(given)}: {why}" if given else ""
