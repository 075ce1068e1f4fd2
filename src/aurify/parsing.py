"""TOML and JSON that somebody else wrote: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.toml import tomllib


def read_toml(path: str | Path) -> dict[str, Any]:
    """The table that a TOML file holds.

    Raises:
        AurifyError: it cannot be read, or holds none; the line names the file.
    """
    try:
        return parse_toml(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise AurifyError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AurifyError(f"{path}: not valid TOML: {error}") from None


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
