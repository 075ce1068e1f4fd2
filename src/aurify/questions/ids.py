"""Question ids: the file's own, or stable ones made of the task and the text."""

from __future__ import annotations

import hashlib
import re

from aurify.questions.rows import RowError, show

_PLAIN = re.compile(r"[^A-Za-z0-9]+")


class Ids:
    """Hands out the ids of one load, in order, no id twice."""

    def __init__(self) -> None:
        self._where: dict[str, str] = {}

    def take(self, given: str | None, task: str, text: str, where: str) -> str:
        """The given id; or one of task and text, with a suffix from the second such question on.

        Raises:
            RowError: the given id occurred before.
        """
        if given is not None:
            if given in self._where:
                raise RowError(f"the id {show(given)} occurs at {self._where[given]} already: expected a new one")
            self._where[given] = where
            return given
        base = made_id(task, text)
        name, count = base, 1
        while name in self._where:
            count += 1
            name = f"{base}-{count}"
        self._where[name] = where
        return name


def made_id(task: str, text: str) -> str:
    """``gsm8k-1f0c2a9b47d3``: the task's name, and 48 bits of a hash of the task and the text."""
    parts = [part.encode("utf-8") for part in (task, text)]
    digest = hashlib.blake2b(b"".join(len(part).to_bytes(8, "big") + part for part in parts), digest_size=6)
    return f"{_PLAIN.sub('-', task).strip('-').lower()[:40] or 'question'}-{digest.hexdigest()}"
