"""Hand-made answers with their right verdicts, by kind: ``cases/*.tsv``, lines of verdict, gold answer, rationale.

A heading ``# kind`` begins a kind; ⏎ stands for a line break. ``wrong`` says that it must not be right: a reader may
also refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aurify.answers import Grader
from aurify.questions import Question

FOLDER = Path(__file__).parent / "cases"
QUESTIONS = {
    "floats": "Which of these floats on water?\n(A) a steel nail\n(B) a glass marble\n(C) a pebble\n(D) a dry cork",
    "sides": "How many sides has a hexagon?\nOptions:\n(A) 4\n(B) 5\n(C) 6\n(D) 8",
}
FILES = [
    ("number", "number"),
    ("choice", "choice"),
    ("text", "text"),
    ("math", "math"),
    ("number", "run_on"),
    ("math", "run_on"),
]


def kinds(file: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Each kind of a file with its lines."""
    for part in (FOLDER / f"{file}.tsv").read_text(encoding="utf-8").split("\n\n"):
        heading, *lines = part.strip().split("\n")
        yield heading.removeprefix("# "), [line.split("\t") for line in lines]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(timeout=20) as grader:
        yield grader


@pytest.mark.parametrize(
    ("answer_type", "kind", "lines"),
    [
        pytest.param(answer_type, kind, lines, id=f"{answer_type} {file}: {kind}")
        for answer_type, file in FILES
        for kind, lines in kinds(file)
    ],
)
def test_kind(grader: Grader, answer_type: str, kind: str, lines: list[list[str]]) -> None:
    asked = QUESTIONS.get(kind.rpartition(": ")[2], kind)
    items = [
        (text.replace("⏎", "\n"), Question(f"q{i}", asked, gold, answer_type), False)
        for i, (_, gold, text) in enumerate(lines)
    ]
    mistakes = [
        (text, gold, grade)
        for (verdict, gold, text), grade in zip(lines, grader.grade_all(items), strict=True)
        if grade.verdict != verdict and not (verdict == "wrong" and grade.verdict == "unparsable")
    ]
    assert not mistakes, mistakes
