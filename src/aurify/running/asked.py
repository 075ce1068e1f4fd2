"""questions.jsonl: what a run asked, kept in its folder, so that the run can be read without its data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Literal, NamedTuple

from aurify.errors import AurifyError
from aurify.files import write_atomically
from aurify.questions.record import Question

AskedPart = Literal["trained", "held out"]


class AskedQuestion(NamedTuple):
    """A question of a run."""

    question: Question
    part: AskedPart
    """Whether the run learned from it, or was measured on it."""


def write_asked(path: Path, train: Sequence[Question], held_out: Sequence[Question]) -> None:
    """One JSON object a line, in the form that ``aurify.questions`` reads."""
    parts: tuple[tuple[AskedPart, Sequence[Question]], ...] = (("trained", train), ("held out", held_out))
    lines = [json.dumps(_row(question, part)) + "\n" for part, questions in parts for question in questions]
    write_atomically(path, "".join(lines))


def read_asked(path: Path) -> list[AskedQuestion]:
    """What ``write_asked`` wrote; nothing where there is no such file.

    Raises:
        AurifyError: a line cannot be read.
    """
    return list(_read(path)) if path.is_file() else []


def texts_asked(folder: Path) -> dict[str, str]:
    """The texts of a run's questions by their ids; empty for a folder, or a file, that does not keep them.

    A file of the same name that no run wrote may lie beside a table, and says nothing of it.
    """
    try:
        return {one.question.id: one.question.text for one in read_asked(folder / "questions.jsonl")}
    except AurifyError:
        return {}


def _row(question: Question, part: AskedPart) -> dict[str, object]:
    row = {"id": question.id, "question": question.text, "answer": question.answer, "part": part}
    rest = {
        key.name: getattr(question, key.name) for key in fields(Question) if key.name not in ("id", "text", "where")
    }
    return {**row, **{key: value for key, value in rest.items() if value}}


def _read(path: Path) -> Iterator[AskedQuestion]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
            part, text = row.pop("part"), row.pop("question")
            yield AskedQuestion(Question(text=text, **{**row, "accepted": tuple(row.get("accepted", ()))}), part)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise AurifyError(f"{path}:{number}: not a question of a run; remove the file to go on without") from None
