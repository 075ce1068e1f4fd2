"""The bench of uses of wrong rationales: its files, its tokens, and a small run that is measured and not repeated."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import dust_data
import uses_data
import uses_of_wrong
from uses_table import print_uses

from aurify.voting.fast_ranker import FastRanker
from aurify.voting.pool import Candidate, CandidatePool


def write_rows(file: Path, samples: list[tuple[str, bool]]) -> None:
    told = [{"rationale": text, "correct": right} for text, right in samples]
    dust_data.write(file, [{"id": "a", "question": "How much?", "answer": "2", "samples": told}])


def test_lengths_are_of_what_a_method_learns_from(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [("1 + 1 = 2", True), ("so it is 1 + 1 = 3, hm", False), ("just 3", False)])
    found = uses_data.mean_lengths(tmp_path / "rows.jsonl", lambda text: len(text.split()))
    assert found == {"right": 6, "wrong": (10 + 3) / 2, "every": (6 + 10 + 3) / 3, "prefix": (6 + 3) / 2}


def test_what_is_too_long_is_left_out_for_all(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [("a " * 5, True), ("a " * 60, False)])
    limit = uses_data.ROOM + 10
    uses_data.keep_short(tmp_path / "rows.jsonl", tmp_path / "short.jsonl", lambda text: len(text.split()), limit)
    (row,) = dust_data.rows(tmp_path / "short.jsonl")
    assert [one["correct"] for one in row["samples"]] == [True]


def test_the_embedded_world_is_the_same_for_every_call(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        uses_data.write_world(tmp_path / folder, seeds=[0], questions=3, samples=4, held_out=3, tests=3)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.jsonl"))
    assert [str(file) for file in files] == ["held_out.jsonl", "tests/in.jsonl", "tests/out.jsonl", "train-0.jsonl"]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    for row in dust_data.rows(tmp_path / "one" / "train-0.jsonl"):
        assert all(one["correct"] == one["rationale"].endswith(f" {row['answer']}.") for one in row["samples"])


def test_pairs_of_a_question_that_the_ranker_has_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        ("a", True, 0.9),
        ("a", True, 0.9),
        ("b", True, 0.2),
        ("c", False, 0.2),
        ("d", False, 0.5),
        ("e", False, 1),
    ]
    pool = CandidatePool("q", "?", tuple(Candidate(text, None, None, right) for text, right, _ in texts))
    ranker = FastRanker.__new__(FastRanker)
    monkeypatch.setattr(FastRanker, "scores", lambda self, pools: [np.array([score for *_, score in texts])])
    assert uses_of_wrong.in_order(ranker, pool) == (1 + 1 + 0.5 + 0) / 4, "of the first two of a side, repeats once"
    assert uses_of_wrong.in_order(ranker, CandidatePool("q", "?", pool.candidates[:2])) is None


def test_a_small_run_is_measured_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[Any] = [
        "uses_of_wrong.py", "--out", tmp_path / "out", "--seeds", 0, "--tokens", 900, "--problems", 6, "--held-out", 6,
        "--test-rows", 3, "--max-new-tokens", 40, "--votes", 2, "--methods", "kd", "prefix", "nat", "asc",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    uses_of_wrong.main()
    results = dust_data.rows(tmp_path / "out" / "results.jsonl")
    assert [one["method"] for one in results if one["part"] == "train"] == ["kd", "prefix", "nat"]
    for one in results:
        if one["part"] == "train":
            assert 600 < one["tokens"] < 1200, "about as many for each, both of NAT's stages together"
    assert {one["method"] for one in results if one["part"] == "in"} == {"base", "kd", "prefix", "nat", "sc", "asc"}
    uses_of_wrong.main()
    assert len(dust_data.rows(tmp_path / "out" / "results.jsonl")) == len(results)
    capsys.readouterr()
    print_uses(tmp_path / "out")
    table = capsys.readouterr().out
    assert "| prefix | " in table
    assert "| asc less sc | " in table
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["preference_rate"] == settings["rate"] == "0.004"
