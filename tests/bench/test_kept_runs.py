"""Finished runs are found again by what was asked, wherever the files of it lie."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import kept_runs


def test_a_run_is_found_by_what_was_asked(tmp_path: Path) -> None:
    for machine in ("a", "b"):
        (tmp_path / machine / "weights").mkdir(parents=True)
        (tmp_path / machine / f"{machine}.txt").write_text("Q: 1 + 1\nA: 2\n")
    here, there = (
        kept_runs.told({"model": str(at / "weights"), "few_shot": at / f"{at.name}.txt", "lr": None, "k": 8})
        for at in (tmp_path / "a", tmp_path / "b")
    )
    assert here == there
    file = tmp_path / "runs.jsonl"
    kept_runs.add(file, here, {"seed": 0})
    kept_runs.add(file, {**here, "k": "9"}, {"seed": 1})
    assert [run["seed"] for run in kept_runs.read(file, there)] == [0]
    (tmp_path / "b" / "b.txt").write_text("Q: 1 + 1\nA: 3\n")
    assert kept_runs.told({"few_shot": tmp_path / "b" / "b.txt"})["few_shot"] != here["few_shot"]
    assert kept_runs.read(tmp_path / "none.jsonl", here) == kept_runs.read(None, here) == []
