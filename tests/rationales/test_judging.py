"""Rationales find their question: by id, by text, and by the text where the id is another's."""

from __future__ import annotations

import json
from pathlib import Path

from aurify.answers import Grader
from aurify.questions import Question
from aurify.rationales.judging import TableJudge
from aurify.rationales.reading import read_with_texts

QUESTIONS = [
    Question("1", "How  many\nare there?", "4", "number"), Question("2", "How much?", "5", "number"),
    Question("3", "How much?", "5", "number"),
]  # fmt: skip


def found(folder: Path, *rows: dict[str, object]) -> list[str]:
    (folder / "rows.jsonl").write_text("".join(json.dumps({"text": "so 4", **row}) + "\n" for row in rows))
    rationales, texts = read_with_texts(folder / "rows.jsonl")
    with Grader() as grader:
        return [one.question_id for one in TableJudge(QUESTIONS, grader, texts).judged(rationales)]


def test_a_question_is_known_by_its_id_or_else_by_its_text(tmp_path: Path) -> None:
    many, much = "How many are there?", "How much?"
    assert found(tmp_path, {"id": "row-7", "question": many}, {"id": "row-8", "question": "Who?"}) == ["1"]
    assert found(tmp_path, {"id": 10, "question": many}, {"id": 11, "question": many}) == ["1", "1"]
    assert found(tmp_path, {"question_id": "x", "question": many}) == ["1"]
    assert found(tmp_path, {"id": 2, "prompt": "Answer this. How much?"}) == ["2"], "its text is another form"
    assert found(tmp_path, {"id": 2, "question": many}) == ["1"], "the file's own number"
    assert found(tmp_path, {"id": 2, "question": much}) == ["2"], "two questions of one text"
