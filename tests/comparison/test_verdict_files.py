"""Scores a question from the files that people have: our own, lm-eval's, TRL's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aurify.comparison.verdict_files import name_files, read_verdicts
from aurify.errors import AurifyError, UsageError


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"id": "a", "right": True}, 1),
        ({"question_id": "a", "score": 0.25}, 0.25),
        ({"id": "a", "correct": False, "question": "?"}, 0),
        ({"id": "a", "verdict": "right", "reason": "equal"}, 1),
        ({"id": "a", "verdict": "unparsable"}, 0),
        ({"question_id": "a", "answer": "4", "credit": 0.5, "confidence": 0.9, "score": 1.0}, 0.5),  # aurify vote
        ({"id": "a", "is_correct": 1}, 1),
    ],
)
def test_rows_with_an_id_and_a_score(tmp_path, row, score):
    assert read_verdicts(lines(tmp_path / "a.jsonl", row), None).right == {"a": score}


def test_ids_that_are_numbers_and_a_field_of_ones_choice(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"idx": 0, "mine": 1, "right": 0}, {"idx": 1, "mine": 0, "right": 0})
    assert read_verdicts(path, "mine").right == {"0": 1, "1": 0}


def logged(doc: int, filter_: str, exact: float) -> dict[str, Any]:
    """A line of lm-eval's --log_samples, shortened."""
    return {
        "doc_id": doc, "doc": {"question": "1 + 1?", "answer": "2"}, "target": "2", "resps": [["2"]],
        "filtered_resps": ["2"], "filter": filter_, "metrics": ["exact_match"], "doc_hash": f"h{doc}",
        "prompt_hash": "p", "target_hash": "t", "exact_match": exact,
    }  # fmt: skip


def test_lm_eval(tmp_path):
    one = lines(tmp_path / "one.jsonl", logged(0, "none", 1.0), logged(1, "none", 0.0))
    assert read_verdicts(one, None).right == {"0 h0": 1, "1 h1": 0}
    both = [logged(doc, name, float(name == "flexible")) for name in ("strict", "flexible") for doc in (0, 1)]
    path = lines(tmp_path / "two.jsonl", *both)
    with pytest.raises(UsageError, match="each question once for each filter, flexible and strict: say --score"):
        read_verdicts(path, None)
    assert read_verdicts(path, "exact_match,flexible").right == {"0 h0": 1, "1 h1": 1}
    assert read_verdicts(path, "exact_match,strict").right == {"0 h0": 0, "1 h1": 0}
    with pytest.raises(UsageError, match="no filter 'strcit': did you mean 'strict'"):
        read_verdicts(path, "exact_match,strcit")
    with pytest.raises(UsageError, match="has no filter 'x': the file names no filter"):
        read_verdicts(lines(tmp_path / "b.jsonl", {"id": "a", "right": True}), "right,x")


def test_trls_table_of_completions(tmp_path):
    columns = {
        "step": [10] * 4, "prompt": ["p", "p", "q", "q"], "completion": ["a", "b", "c", "d"],
        "accuracy_reward": [1.0, 0.0, 1.0, 1.0], "advantage": [0.7, -0.7, 0.0, 0.0],
    }  # fmt: skip
    path = tmp_path / "completions_00010.parquet"
    pq.write_table(pa.table(columns), path)
    said: list[str] = []
    assert read_verdicts(path, None, said.append).right == {"p": 0.5, "q": 1.0}
    assert said == [f"{path}: 4 rows on 2 questions: a question counts with the mean of its rows"]
    pq.write_table(pa.table({**columns, "format_reward": [1.0] * 4}), path)
    with pytest.raises(UsageError, match="accuracy_reward and format_reward: say which with --score"):
        read_verdicts(path, None)
    assert read_verdicts(path, "accuracy_reward").right == {"p": 0.5, "q": 1.0}


def test_completions_that_the_reward_function_left_out(tmp_path):
    """As TRL 1.16 writes them: NaN where accuracy_reward could not read the solution, and its extra columns."""
    turns = [{"role": "user", "content": "1 + 1?"}]
    columns = {
        "step": [1] * 4, "prompt": [turns, turns, [{"role": "user", "content": "?"}], turns],
        "completion": [[{"role": "assistant", "content": "2"}]] * 4,
        "accuracy_reward": [1.0, float("nan"), float("nan"), 0.0],
        "answer_parsed": ["[2]", "[skipped]", "[skipped]", "[3]"], "gold_parsed": ["[2]"] * 4, "advantage": [0.0] * 4,
    }  # fmt: skip
    path = tmp_path / "completions_00001.parquet"
    pq.write_table(pa.table(columns), path)
    said: list[str] = []
    assert list(read_verdicts(path, None, said.append).right.values()) == [0.5]
    assert said[0] == f"{path}: 2 of 4 rows have no accuracy_reward, and are left out"
    pq.write_table(pa.table({**columns, "accuracy_reward": [float("nan")] * 4}), path)
    with pytest.raises(AurifyError, match="no row holds any accuracy_reward"):
        read_verdicts(path, None)


def test_turns_as_prompt_and_several_steps(tmp_path):
    turns = [{"role": "user", "content": "1 + 1?"}]
    rows = [{"step": step, "prompt": turns, "completion": "2", "reward": step / 2} for step in (1, 2)]
    said: list[str] = []
    found = read_verdicts(lines(tmp_path / "a.jsonl", *rows), None, said.append).right
    assert (list(found.values()), len(said)) == ([0.75], 2)
    assert "completions of 2 steps" in said[0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a"}], "no score in its first row, which has 'id'"),
        ([{"right": True}], "a.jsonl:1: names no question"),
        ([{"id": "a", "right": True}, {"id": "b", "right": None}], "a.jsonl:2: right: expected a truth value or a num"),
        ([{"id": "a", "right": "perhaps"}], "a.jsonl:1: right: expected a truth value or a number, found 'perhaps'"),
        ([{"id": "a", "right": True, "score": 1}], "right and score: say which with --score FIELD"),
        ([], "no row in it"),
    ],
)
def test_what_cannot_be_read(tmp_path, rows, message):
    with pytest.raises(AurifyError, match=message.replace("(", r"\(")):
        read_verdicts(lines(tmp_path / "a.jsonl", *rows), None)


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "right": true}\n{"id": \n')
    with pytest.raises(AurifyError, match=r"a\.jsonl:2: "):
        read_verdicts(tmp_path / "a.jsonl", None)


def test_names(tmp_path):
    paths = [tmp_path / "x" / "a.jsonl", tmp_path / "y" / "a.jsonl", tmp_path / "b.parquet", tmp_path / "c.jsonl.gz"]
    assert name_files(paths) == [str(paths[0]), str(paths[1]), "b", "c"]
