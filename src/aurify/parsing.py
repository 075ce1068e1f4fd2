"""TOML and JSON that somebody else wrote: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import json
from typing import Any

from aurify.toml import tomllib


def parse_toml(text: str) -> dict[str, Any]:
    """The table that a TOML text spells.

    Raises:
        tomllib.TOMLDecodeError: it spells none, nests too deeply, or holds a number of thousands of digits.
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
        json.dumps(found, default=str)  # what is nested more deeply than JSON can be is of no use to anybody
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from None
    return found


def parse_json(text: str | bytes) -> Any:
    """The value that a JSON text spells.

    Raises:
        ValueError: it spells none, or nests too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
