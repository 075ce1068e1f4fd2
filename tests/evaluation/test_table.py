"""Accuracies of rationales that are there already."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from aurify.answers import Verdict
from aurify.errors import AurifyError, UsageError
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.questions import Question
from aurify.rationales import Rationale, RationaleTable, by_question

QUESTIONS = [Question(f"q{n}", f"{n}?", "1", "number", task="even" if n % 2 == 0 else "odd") for n in range(4)]


def rationale(question: str, index: int, answer: str | None, model: str = "gpt") -> Rationale:
    verdict = Verdict.UNPARSABLE if answer is None else Verdict.RIGHT if answer == "1" else Verdict.WRONG
    return Rationale(question, (), "", answer, verdict, "", "teacher", model, 0, index, 0, "stop", None)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three samples on q0 and q2, four on q1, two on q3; and another model's."""
    answers = {"q0": ["1", "1", "2"], "q1": ["2", "2", "1", "1"], "q2": [None, "1", None], "q3": ["1", "1"]}
    rows = [rationale(name, index, one) for name, row in answers.items() for index, one in enumerate(row)]
    written = RationaleTable(tmp_path / "run" / "rationales")
    written.append([*reversed(rows), *(rationale(f"q{n}", 0, "2", "other") for n in range(4))])
    written.flush(0)
    return tmp_path / "run"


def settings(table: Path, **given: object) -> EvaluateSettings:
    return EvaluateSettings.model_validate({"model": "gpt", "data": "q.jsonl", "from_": str(table), **given})


def test_the_first_samples_of_every_question_count(table: Path) -> None:
    said: list[str] = []
    found = run_evaluation(settings(table, samples=3), questions=QUESTIONS, say=said.append)
    assert said == [f"{table}: 1 of 4 questions have fewer than 3; left out"]
    scores = {name: one.accuracy for name, one in found.overall.scores.items()}
    assert list(scores) == ["sampled", "maj@1", "maj@2", "maj@3", "pass@1", "pass@2", "pass@3"]
    assert found.overall.n == 3
    assert scores["sampled"] == pytest.approx((2 + 1 + 1) / 9)
    assert scores["maj@3"] == pytest.approx(2 / 3)  # q0 and, among two that cannot be read, q2
    assert scores["pass@3"] == 1
    assert {name: group.n for name, group in found.tasks.items()} == {"even": 2, "odd": 1}
    assert found.tallies["sampled"].verdicts == {"right": 4, "wrong": 3, "unparsable": 2}
    assert found.to_dict()["overall"]["n"] == 3


def test_without_a_number_as_many_as_every_question_has(table: Path) -> None:
    found = run_evaluation(settings(table), questions=QUESTIONS)
    assert found.overall.n == 4
    assert list(found.overall.scores)[-1] == "pass@2"


def test_a_table_read_some_questions_at_a_time_says_what_the_same_rows_in_a_file_say(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hinted = replace(rationale("q1", 5, "1"), source="guide", step=9)
    written = RationaleTable(table / "rationales")
    new_end = replace(rationale("q1", 6, "1"), token_ids=(1, 2), move="suffix", cut=1, step=9)
    written.append([hinted, new_end, rationale("elsewhere", 0, "1")])
    written.flush(9)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({**asdict(one), "verdict": str(one.verdict)}) + "\n" for one in written.read()))
    for samples in (0, 1, 3):
        said: list[list[str]] = [[], []]
        given: dict[str, object] = {"samples": samples} if samples else {}
        of_file = run_evaluation(settings(file, **given), questions=QUESTIONS, say=said[0].append)
        with monkeypatch.context() as patch:
            patch.setattr(by_question, "ROWS_TOGETHER", 5)
            of_table = run_evaluation(settings(table, **given), questions=QUESTIONS, say=said[1].append)
        assert of_table.overall == of_file.overall
        assert of_table.tasks == of_file.tasks
        assert of_table.tallies == of_file.tallies
        assert said[1] == [line.replace(str(file), str(table)) for line in said[0]] != []


def test_rationales_without_a_verdict_are_refused(table: Path) -> None:
    written = RationaleTable(table / "rationales")
    written.append([replace(rationale("q3", 7, "1"), verdict=None)])
    written.flush(1)
    with pytest.raises(AurifyError, match="holds rationales without a verdict"):
        run_evaluation(settings(table), questions=QUESTIONS)


def test_mistakes(table: Path) -> None:
    with pytest.raises(UsageError, match=r"--model gtp: wrote nothing in .*: did you mean 'gpt'\?"):
        run_evaluation(settings(table, model="gtp"), questions=QUESTIONS)
    with pytest.raises(AurifyError, match="no question has 9 rationales: lower --samples"):
        run_evaluation(settings(table, samples=9), questions=QUESTIONS)
    strangers = [Question("z", "?", "1", "number")]
    with pytest.raises(AurifyError, match="no rationale by gpt is on one of the questions"):
        run_evaluation(settings(table), questions=strangers)
    with pytest.raises(ValueError, match="--from draws nothing"):
        settings(table, out="x")
