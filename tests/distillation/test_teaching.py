"""What is kept of the rationales that a student is given."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from aurify.answers import Grader, Verdict
from aurify.distillation import teaching
from aurify.distillation.teaching import keep_given_rationales
from aurify.errors import AurifyError
from aurify.questions import Question
from aurify.rationales import Rationale, RationaleTable
from aurify.rationales.judging import TableJudge
from aurify.rationales.reading import read_with_texts
from aurify.running.world import World

QUESTIONS = [Question(f"q{n}", f"What is {n}?", str(n), "number") for n in range(6)]


def table_of_others(folder: Path) -> Path:
    """A run's table: of several steps, on these questions and others, some rows without a verdict."""
    draw, table = random.Random(0), RationaleTable(folder / "run" / "rationales")
    for step in (3, 4):
        for _ in range(40):
            number, answer = draw.randrange(9), draw.randrange(9)
            verdict = draw.choice([None, Verdict.RIGHT if answer == number else Verdict.WRONG])
            text = f"So the answer is {answer}."
            one = Rationale(f"q{number}", (1, 2), text, str(answer), verdict, "", "self", "m", step, 0, 0, "stop", None)
            table.append([one])
        table.flush(step)
    return folder / "run"


def file_of_others(folder: Path) -> Path:
    rows = [{"question": f"What is {n % 9}?", "text": f"So the answer is {n % 5}."} for n in range(40)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "rows.jsonl"


@pytest.mark.parametrize("make", [table_of_others, file_of_others])
def test_some_rows_at_a_time_are_judged_as_all_together(make, tmp_path, monkeypatch):
    monkeypatch.setattr(teaching, "ROWS_AT_ONCE", 7)
    source, kept, world = make(tmp_path), RationaleTable(tmp_path / "kept"), World()
    read, texts = read_with_texts(source)
    with Grader() as grader:
        keep_given_rationales(str(source), QUESTIONS, grader, kept, world)
        wanted = [replace(one, step=0) for one in TableJudge(QUESTIONS, grader, texts).judged(read)]
    assert list(kept.read()) == wanted
    assert len(read) > len(wanted) > 20
    source.rename(tmp_path / "gone")
    keep_given_rationales(str(source), QUESTIONS, grader, kept, world)
    assert list(kept.read()) == wanted, "a run that goes on reads and judges nothing"


def test_none_of_these_questions_is_an_error_and_writes_nothing(tmp_path):
    source, kept = table_of_others(tmp_path), RationaleTable(tmp_path / "kept")
    with Grader() as grader, pytest.raises(AurifyError, match="none of its 80 rationales is of a question of --data"):
        keep_given_rationales(str(source), [Question("z", "?", "1", "number")], grader, kept, World())
    assert kept.steps() == []
