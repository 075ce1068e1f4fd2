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

_BY_ID = "questions"
"""How the names of parts end whose pieces are known by more than their content: an id decides what is drawn."""
_WHOLE, _PIECES, _PIECE = 2**24, 64, 2**16
PIECES_LISTED = 3
"""Changed pieces that are named; the rest are counted."""


def fingerprint(parts: Mapping[str, Sequence[Question]]) -> dict[str, dict[str, str]]:
    """The hash (64 bits, hexadecimal) of every question of every part. Where its row stands does not count."""
    return {name: {question.id: _hash(question) for question in questions} for name, questions in parts.items()}


def of_files(paths: Iterable[str | None]) -> dict[str, str]:
    """The hash of every one of these that is a file or a folder; others name none, as worked examples given as text.

    A run's folder stands for its rationale table. Of a file above 16 MiB, such as a model's weights, 64 pieces count,
    spread evenly, and its size.
    """
    found = {}
    for name in dict.fromkeys(path for path in paths if path and "\n" not in path):
        path = Path(name) / "rationales" if (Path(name) / "rationales").is_dir() else Path(name)
        if path.is_file():
            found[name] = _of_file(path)
        elif path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
            whole = [f"{file.relative_to(path)} {_of_file(file)}" for file in files]
            found[name] = _digest("\n".join(whole).encode("utf-8", "surrogateescape"))
    return found


def changes(before: Fingerprint, now: Fingerprint) -> str | None:
    """What is other than before, in one line; None where nothing is.

    Pieces are told by name (a question's id): those that are gone, that are new, that changed, and another order,
    which decides the batches of a run. Files that are the same in another place are the same.
    """
    for part in sorted(before.keys() | now.keys()):
        then, here = before.get(part, {}), now.get(part, {})
        if not part.endswith(_BY_ID) and list(then.values()) == list(here.values()):
            continue
        gone = [key for key in then if key not in here]
        new = [key for key in here if key not in then]
        other = [key for key in then if key in here and then[key] != here[key]]
        told = [
            f"{len(keys)} {what} ({', '.join(keys[:PIECES_LISTED])}{', ...' if len(keys) > PIECES_LISTED else ''})"
            for keys, what in ((gone, "gone"), (new, "new"), (other, "changed"))
            if keys
        ]
        if not told and list(then) != list(here):
            told = ["the order is another"]
        if told:
            return f"{part}: {', '.join(told)}"
    return None


def _of_file(path: Path) -> str:
    size = path.stat().st_size
    if size <= _WHOLE:
        return _digest(path.read_bytes())
    digest = hashlib.blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        for number in range(_PIECES):
            file.seek(number * (size - _PIECE) // (_PIECES - 1))
            digest.update(file.read(_PIECE))
    return digest.hexdigest()


def _hash(question: Question) -> str:
    values = {name: value for name, value in asdict(question).items() if name != "where"}
    if not question.columns:
        del values["columns"]  # so that the hash of other questions is what it was
    return _digest(json.dumps(values, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
