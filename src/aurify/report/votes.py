"""What ``aurify vote --out`` wrote of a run's questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aurify.errors import AurifyError
from aurify.parsing import parse_json


class VoteFile(NamedTuple):
    """The votes of one file."""

    name: str
    by_question: Mapping[str, dict[str, Any]]
    """A line of the file by its question's id."""


def read_votes(paths: Sequence[str | Path]) -> list[VoteFile]:
    """The votes of these files, named by the files.

    Raises:
        AurifyError: a file cannot be read, or a line is none of aurify vote.
    """
    return [VoteFile(Path(path).stem, _lines(Path(path))) for path in paths]


def vote_items(files: Sequence[VoteFile], question_id: str) -> list[list[Any]]:
    """A question's votes for the page: of each file [name, answer, confidence, credit, samples, counts, candidates].

    ``counts`` has [answer, votes] of each answer, most votes first; ``candidates`` [text, answer, score, right, chosen]
    of each sample in the order drawn.
    """
    return [
        [
            file.name, line["answer"], line.get("confidence"), line.get("credit"), line.get("samples"),
            [[one["answer"], one["votes"]] for one in line["votes"]],
            [
                [one["text"], one["answer"], one.get("score"), one.get("right"), int(one.get("chosen", False))]
                for one in line["candidates"]
            ],
        ]
        for file in files
        if (line := file.by_question.get(question_id)) is not None
    ]  # fmt: skip


def vote_flags(votes: Sequence[Sequence[Any]]) -> list[str]:
    """What a question may be filtered by: whether a vote is wrong, and whether the files give different answers."""
    wrong = any(credit == 0 for _, _, _, credit, *_ in votes)
    differ = (
        len({counts[0][0] if counts else None for *_, counts, _ in votes}) > 1
    )  # spelled as its first sample has it
    return ["misvoted"] * wrong + ["disputed"] * differ


def _lines(path: Path) -> dict[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AurifyError(f"--votes {path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        read = _line(line)
        if read is None:
            raise AurifyError(f"{path}:{number}: not a line of a vote; name a file of aurify vote --out")
        found[read["question_id"]] = read
    return found


def _line(text: str) -> dict[str, Any] | None:
    try:
        read = parse_json(text)
        counted = all(
            isinstance(one["answer"], str) and isinstance(one["votes"], (int, float)) for one in read["votes"]
        )
        shown = all(isinstance(one["text"], str) and "answer" in one for one in read["candidates"])
        return read if counted and shown and isinstance(read["question_id"], str) and "answer" in read else None
    except (ValueError, TypeError, KeyError):
        return None
