"""metrics.jsonl: one line a step. What depends on the machine stands under ``timing``; the rest is reproducible."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from aurify.errors import AurifyError
from aurify.files import write_atomically


class MetricsLog:
    """An append-only JSONL file whose lines carry their step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: dict[str, Any]) -> None:
        """Write one line; it is on the disk when this returns.

        Raises:
            OSError: naming the file; a part of the line may stand there, which ``read`` leaves out.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(self.path)
            raise

    def read(self) -> list[dict[str, Any]]:
        """All whole lines; one at the end that a crash cut short is left out.

        Raises:
            AurifyError: a line is none of a run's, naming it.
        """
        if not self.path.exists():
            return []
        *texts, cut = self.path.read_bytes().split(b"\n")
        lines = [self._parsed(number, text) for number, text in enumerate(texts, 1)]
        return lines + [line for line in [_line(cut)] if line]

    def drop_after(self, step: int) -> None:
        """Forget the lines of later steps, which a resumed run writes again."""
        kept = [json.dumps(line) + "\n" for line in self.read() if line["step"] <= step]
        write_atomically(self.path, "".join(kept))

    def _parsed(self, number: int, text: bytes) -> dict[str, Any]:
        line = _line(text)
        if line is None:
            raise AurifyError(f"{self.path}:{number}: not a line of a run's metrics; remove it, or bring the file back")
        return line


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("step"), int) else None
