"""Lengths of time as users write them: ``2h``, ``1h30m``, ``90m``, ``45s``."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([dhms])\s*")


def seconds_of(text: str) -> float:
    """The seconds that a length of time stands for.

    Raises:
        ValueError: it is none, or 0.
    """
    parts = _PART.findall(text.strip().lower())
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if _PART.sub("", text.strip().lower()) or not 0 < seconds < 1e9:
        raise ValueError(f"{text!r}: expected a length of time such as 2h, 1h30m, 90m or 45s")
    return seconds
