"""Finished runs on real models, a line each, kept in a file: what one machine has measured another need not run again.

A line is what a bench makes of a run, with what was asked under ``asked``: settings, where a file stands for what it
holds and a folder for its name, so that it does not matter where they lie.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def told(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as they are on any machine."""
    return {name: _anywhere(value) for name, value in sorted(settings.items()) if value is not None}


def _anywhere(value: object) -> str:
    path = Path(str(value))
    if isinstance(value, str | Path) and path.is_file():
        return f"a file, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return path.name if isinstance(value, str | Path) and path.is_dir() else str(value)


def read(file: Path | None, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The runs in a file of which this was asked; of no file, none."""
    if file is None or not file.is_file():
        return []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["asked"] == asked]


def add(file: Path, asked: Mapping[str, str], run: Mapping[str, Any]) -> None:
    """Put a run at the end of a file, which other benches may do at the same time."""
    with file.open("a", encoding="utf-8") as lines:
        fcntl.flock(lines, fcntl.LOCK_EX)
        lines.write(json.dumps({**run, "asked": asked}) + "\n")
