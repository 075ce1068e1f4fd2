"""metrics.jsonl: one line a step. What depends on the machine stands under ``timing``; the rest is reproducible."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from aurify.files import write_atomically


class MetricsLog:
    """An append-only JSONL file whose lines carry their step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: dict[str, Any]) -> None:
        """Write one line; it is on the disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[dict[str, Any]]:
        """All whole lines; one that a crash cut short is left out."""
        if not self.path.exists():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break
        return lines

    def drop_after(self, step: int) -> None:
        """Forget the lines of later steps, which a resumed run writes again."""
        kept = [json.dumps(line) + "\n" for line in self.read() if line["step"] <= step]
        write_atomically(self.path, "".join(kept))
