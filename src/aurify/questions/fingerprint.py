"""What a run read, as hashes: so that a run is not gone on with on other questions than it began with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from aurify.questions.record import Question

Fingerprint = Mapping[str, Mapping[str, str]]
"""For each part of what was read (``training questions``, ``files``) the hash of each piece by its name, in order."""

LISTED = 3
"""So many changed pieces are named; the rest are counted."""


def fingerprint(parts: Mapping[str, Sequence[Question]]) -> dict[str, dict[str, str]]:
    """The hash (64 bits, hexadecimal) of every question of every part. Where its row stands does not count."""
    return {name: {question.id: _hash(question) for question in questions} for name, questions in parts.items()}


def of_files(paths: Iterable[str | None]) -> dict[str, str]:
    """The hash of every one of these that is a file; the others name none, such as worked examples given as text."""
    files = [path for path in paths if path and "\n" not in path and Path(path).is_file()]
    return {path: _digest(Path(path).read_bytes()) for path in files}


def changes(before: Fingerprint, now: Fingerprint) -> str | None:
    """What is other than before, in one line; None where nothing is.

    Pieces are told by name (a question's id): those that are gone, that are new, that changed, and another order,
    which decides the batches of a run.
    """
    for part in sorted(before.keys() | now.keys()):
        then, here = before.get(part, {}), now.get(part, {})
        gone = [key for key in then if key not in here]
        new = [key for key in here if key not in then]
        other = [key for key in then if key in here and then[key] != here[key]]
        told = [
            f"{len(keys)} {what} ({', '.join(keys[:LISTED])}{', ...' if len(keys) > LISTED else ''})"
            for keys, what in ((gone, "gone"), (new, "new"), (other, "changed"))
            if keys
        ]
        if not told and list(then) != list(here):
            told = ["the order is another"]
        if told:
            return f"{part}: {', '.join(told)}"
    return None


def _hash(question: Question) -> str:
    values = {name: value for name, value in asdict(question).items() if name != "where"}
    return _digest(json.dumps(values, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
