"""What is passed to a reward function, by whose form it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aurify.answers import Grader
from aurify.answers.reward_forms import Judged, form_of, is_comparison, keywords_for, lacking
from aurify.errors import AurifyError
from aurify.nugget import generate
from aurify.questions import load_questions
from aurify.rationales import read_rationales


def trl(completions, **columns): ...
def by_keywords(**columns): ...
def a_column_by_keywords(answer, **columns): ...
def verl(data_source, solution_str, ground_truth, extra_info=None): ...
async def of_two(solution_str, ground_truth, method="strict", score=1.0): ...
def batch(data_sources, solution_strs, ground_truths, extra_infos, **more): ...
def compare(pred, gold): ...
def compare_with_more(pred, gold, **more): ...
def near(solution, ground_truth): ...
def singular(completion, answer): ...
def one(text): ...


class Called:
    def __call__(self, solution_str, ground_truth): ...


@pytest.mark.parametrize(
    ("function", "marker"),
    [
        (trl, "completions"), (by_keywords, "completions"), (a_column_by_keywords, "completions"),
        (verl, "solution_str"), (of_two, "solution_str"), (Called(), "solution_str"),
        (partial(of_two, method="flexible"), "solution_str"), (batch, "solution_strs"),
        (compare, None), (compare_with_more, None), (near, None), (singular, None), (one, None), (max, None),
    ],
)  # fmt: skip
def test_the_names_of_its_parameters_tell_a_reward_functions_form(function: Callable[..., Any], marker: str) -> None:
    form = form_of(function)
    assert (form and form.marker) == marker
    assert form or is_comparison(function) == (function is not one)


ROW = {
    "data_source": "openai/gsm8k",
    "prompt": [{"role": "user", "content": "What is 3 plus 4?"}],
    "reward_model": {"style": "rule", "ground_truth": "7"},
    "extra_info": {"index": 5},
    "score": 0.25,
}


def passed(function: Callable[..., Any], row: dict[str, Any], **more: str) -> dict[str, Any]:
    form = form_of(function)
    assert form is not None
    return keywords_for(function, form.passed("So 7", Judged(row, **more)))


def test_verls_functions_get_what_verl_passes() -> None:
    whole = {"data_source": "openai/gsm8k", "solution_str": "So 7", "ground_truth": "7", "extra_info": {"index": 5}}
    assert passed(verl, ROW) == whole
    assert passed(of_two, ROW) == {"solution_str": "So 7", "ground_truth": "7"}, "a column is no parameter of theirs"
    assert passed(batch, ROW) == {f"{name}s": [value] for name, value in whole.items()}


@pytest.mark.parametrize("truth", [{"target": 5, "numbers": [2, 3]}, ["7", "seven"], 7, "", None])
def test_the_ground_truth_is_what_stands_in_the_file(truth: object) -> None:
    assert passed(of_two, {**ROW, "reward_model": {"ground_truth": truth}}, answer="read")["ground_truth"] == truth


def test_other_rows_have_their_answer_and_task() -> None:
    found = passed(verl, {"question": "q?", "answer": "3 + 4 = 7\n#### 7"}, answer="7", task="sums")
    assert found == {"data_source": "sums", "solution_str": "So 7", "ground_truth": "7", "extra_info": None}
    spelled = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in ROW.items()}
    assert passed(verl, spelled) == passed(verl, ROW), "as a CSV file holds it"


def test_what_is_not_there_is_told_by_its_name() -> None:
    assert lacking(verl, "mine:verl", Judged({"question": "q?"})) == (
        "no reward_model.ground_truth, nor another answer, and mine:verl asks for one"
    )
    assert lacking(verl, "mine:verl", Judged(ROW)) is None
    assert lacking(lambda solution_str, level: 1, "mine:f", Judged({**ROW, "level": 3})) == (
        "mine:f asks for 'level', which verl does not give every function: give it a default"
    )
    assert lacking(a_column_by_keywords, "mine:f", Judged(ROW)) == "no column 'answer', which mine:f asks for"


REWARD = """
import re

def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    assert data_source == "mine/counting" and extra_info["row"] >= 0
    said = re.findall(r"\\d+", solution_str)
    return {"score": 1.0 if said and said[-1] == ground_truth else -1.0, "acc": bool(said)}
"""


@pytest.fixture
def verls(tmp_path: Path) -> Path:
    """A folder with a file of verl's and a reward function in a folder of its own."""
    (tmp_path / "rewards").mkdir()
    (tmp_path / "rewards" / "reward.py").write_text(REWARD)
    rows = [
        {
            "data_source": "mine/counting",
            "prompt": [{"role": "user", "content": one.text}],
            "reward_model": {"style": "rule", "ground_truth": one.answer},
            "extra_info": {"row": row},
        }
        for row, one in enumerate(generate("object_counting", 12, seed=2))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    return tmp_path


def test_verls_files_and_function_train_as_they_are(verls, run_aurify) -> None:
    word = "rewards/reward.py:compute_score"
    short = ("--steps", 1, "--questions", 4, "--samples", 2, "--max-new-tokens", 100, "--eval-limit", 2)
    words = ("train", "rloo", "--model", "nugget", "--data", "train.parquet", "--answers", word, "--out", "run", *short)
    done = run_aurify(*words)
    assert done.returncode == 0, done.stderr
    assert f"answers: {word} (a reward function as verl has them)" in done.stderr
    judged = [one for one in read_rationales(verls / "run") if one.score is not None]
    assert {one.score for one in judged} <= {1.0, -1.0}
    assert all(one.right == (one.score == 1.0) for one in judged)
    assert judged


def test_a_row_without_an_answer_is_bad_where_one_is_asked_for(verls, monkeypatch) -> None:
    monkeypatch.chdir(verls)
    (verls / "rows.jsonl").write_text('{"question": "q?"}\n')
    with pytest.raises(AurifyError, match=r"rows.jsonl:1: no reward_model.ground_truth, nor another answer"):
        load_questions("rows.jsonl", answers="rewards/reward.py:compute_score")
    (verls / "rows.jsonl").write_text(json.dumps({**ROW, "data_source": "mine/counting", "extra_info": {"row": 0}}))
    (question,) = load_questions("rows.jsonl", answers="rewards/reward.py:compute_score")
    with Grader() as grader:
        assert grader.grade("So 7", question).right
        assert grader.grade("So 8", question).score == -1.0
