"""What the tests of faults share: the command line in this process, questions, a table and an adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from aurify.cli.app import build, exit_status
from aurify.nugget import generate


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that an error is."""
        assert self.status in (1, 2), (self.status, self.err)
        lines = [line for line in self.err.splitlines() if line.startswith("aurify: ")]
        assert len(lines) == 1, self.err
        assert self.err.endswith(lines[0] + "\n"), self.err
        assert "Traceback" not in self.err + self.out
        return lines[0]


Aurify = Callable[..., Done]


@pytest.fixture
def aurify(capfd: pytest.CaptureFixture[str]) -> Aurify:
    """The command line, run in this process: ``aurify("train", "trice", ...)``."""

    def run(*words: object) -> Done:
        capfd.readouterr()
        status = exit_status(build, [str(word) for word in words])
        return Done(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "counting.jsonl"
    rows = [
        {"id": question.id, "question": question.text, "answer": question.answer}
        for question in generate("object_counting", 16, seed=5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def train(questions: Path) -> Callable[..., list[str]]:
    """The words of a small run: ``train(out, "--steps", 4)``."""

    def words(out: Path, *more: object) -> list[str]:
        return [
            "train", "trice", "--model", "nugget", "--data", str(questions), "--out", str(out), "--steps", "3",
            "--questions", "4", "--save-every", "1", "--holdout", "0.25", "--max-new-tokens", "60",
            "--memory", "guide", *map(str, more),
        ]  # fmt: skip

    return words


@pytest.fixture(scope="session")
def table(questions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rationale table as rows: a right and a wrong rationale of every question."""
    path = tmp_path_factory.mktemp("table") / "table.jsonl"
    rows = [json.loads(line) for line in questions.read_text().splitlines()]
    with path.open("w") as file:
        for row in rows:
            for answer in (row["answer"], str(int(row["answer"]) + 1)):
                text = f"There are {answer} of them. The answer is {answer}."
                file.write(json.dumps({"question_id": row["id"], "text": text, "model": "somebody"}) + "\n")
    return path
