"""The small inputs of ``../shared/trials``, each with what is right: ``expect`` of answers, ``_expect`` of questions.

Those that need a server, a model or a run are not read here: 07 (``tests/collecting``), 08, 09 and 15.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aurify.answers import Grader, options
from aurify.collecting.labelled import read_labelled
from aurify.errors import AurifyError
from aurify.questions import Question, load_questions
from aurify.voting.gather import read_pools
from aurify.voting.settings import VoteSettings

TYPES = ("number", "math", "choice", "run_on")


@pytest.fixture
def trials(shared_data: Path) -> Path:
    folder = shared_data.parent / "trials"
    if not folder.is_dir():
        pytest.skip(f"the trial files are not here: {folder}")
    return folder


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(timeout=20) as grader:
        yield grader


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_answer_has_its_verdict(trials: Path, grader: Grader) -> None:
    seen = 0
    for file in sorted(trials.glob("*.jsonl")):
        rows = [row for row in rows_of(file) if "pred" in row]
        kind = next((word for word in TYPES if word in file.name), "")
        kind = "number" if kind == "run_on" else kind
        items = [
            (row["pred"], Question(f"q{i}", row.get("question", ""), row["gold"], kind), False)
            for i, row in enumerate(rows)
        ]
        seen += len(items)
        for row, grade in zip(rows, grader.grade_all(items), strict=True):
            assert grade.verdict == row["expect"], (file.name, row, grade)
    assert seen >= 63


def test_every_question_is_read_or_refused(trials: Path) -> None:
    seen = 0
    for file in sorted(trials.glob("*.jsonl")):
        rows = [row for row in rows_of(file) if isinstance(row.get("_expect"), (str, dict)) and "samples" not in row]
        if not rows:
            continue
        loaded = load_questions(str(file), skip_bad=True)
        read = {question.where.rpartition(":")[2]: question for question in loaded}
        for number, row in enumerate(rows, start=1):
            seen += 1
            as_expected(row["_expect"], read.get(str(number)), file.name)
        if any(str(row["_expect"]).startswith("bad") for row in rows):
            with pytest.raises(AurifyError, match="no answer that can be checked"):
                load_questions(str(file))
    assert seen >= 36


def as_expected(expected: Any, question: Question | None, name: str) -> None:
    if isinstance(expected, str):  # "kept, ..." or "bad row: ..."
        word, _, answer = expected.removeprefix("kept, ").rpartition(" ")
        assert (question is None) == expected.startswith("bad"), (name, expected)
        if question is not None:
            assert question.answer == answer
            assert not word or question.answer_type == word
        return
    assert question is not None, (name, expected)
    if "accepted" in expected:
        assert [question.answer, *question.accepted] == expected["accepted"]
    if "type" in expected:
        assert question.answer_type == expected["type"]
    if "gold" in expected:
        assert question.answer == expected["gold"].partition(", ")[0]
    if expected.get("options_in_prompt"):
        assert len(options(question.text)) >= 3


def test_a_teachers_traces_are_read_with_their_labels(trials: Path) -> None:
    file = trials / "06_openr1_import.jsonl"
    found = read_labelled(file)
    for row, question in zip(rows_of(file), found.questions, strict=True):
        samples = found.samples[question.id]
        assert [sample.text for sample in samples] == row["generations"]
        assert [sample.label for sample in samples] == row["correctness_math_verify"]
        assert [not sample.truncated for sample in samples] == row["is_reasoning_complete"]


@pytest.mark.parametrize("settings", [{"answers": "math"}, {}])
def test_a_refusal_wins_no_vote(trials: Path, settings: dict[str, str]) -> None:
    file = str(trials / "14_vote_refusals.jsonl")
    ((pool,),) = read_pools(file, VoteSettings(file=file, **settings), print)
    *refusals, answer = [candidate.answer for candidate in pool.candidates]
    assert refusals == [None] * 3
    assert answer in ("3/5", "\\frac{3}{5}")
