"""The bench of a real model's hard questions: what it keeps, and the tables that it makes of that."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import hard_real
import kept_runs

CHAINS = {"by_cut": [[0, 0]] * 5, "right": [1, 2, 4], "questions_right": 2, "beginnings": [None, 0.5], "spent": 99}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hard_real, "RESULTS", tmp_path / "hard.md")
    monkeypatch.setattr(hard_real, "KEPT", tmp_path / "hard.runs.jsonl")
    file = tmp_path / "questions.jsonl"
    rows = [{"id": name, "question": f"{name}?", "answer": number} for number, name in enumerate("abcd")]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def arguments(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["hard_real.py", *words])
    return hard_real.arguments()


def test_what_is_kept_is_neither_drawn_nor_run_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hard_real, "run_sample", lambda *_, **more: pytest.fail("it draws"))
    monkeypatch.setattr(hard_real, "run_training", lambda *_, **more: pytest.fail("it trains"))
    words = ["model", str(data), "--tokens", "50", "--methods", "trice independent", "trice suffix", "--seeds", "0"]
    args = arguments(monkeypatch, *words)
    base = {"method": hard_real.BASE, "seed": 0, "trained": {"a": 0.0, "c": 0.25}, "held_out": {"b": 0.5}}
    kept_runs.add(hard_real.KEPT, hard_real.asked(args), base)
    for name, share in (("trice independent", 0.25), ("trice suffix", 0.75)):
        run = {"method": name, "seed": 0, "steps": 3, "seconds": 60.0, **CHAINS}
        run |= {"trained": {"a": share, "c": share}, "held_out": {"b": share}}
        kept_runs.add(hard_real.KEPT, hard_real.asked(args, tokens=50), run)
        other = {**run, "seed": 1, "trained": {"a": 1.0, "c": 1.0}}
        kept_runs.add(hard_real.KEPT, hard_real.asked(args, tokens=60), other)  # of another budget
    assert [[one.id for one in some] for some in hard_real.hard_questions(args)] == [["a", "c"], ["b"]]
    hard_real.main()
    lines = hard_real.RESULTS.read_text().splitlines()
    assert "2 questions to train on, each with 1 of 12 samples right; 1 easier ones." in lines[4]
    told = {line.split(" | ")[0].strip("| "): line for line in reversed(lines) if line.startswith("| trice")}
    assert "| 0 | 75.0 | +62.5 (" in told["trice suffix"]
    assert "| 75.0 | +25.0 (" in told["trice suffix"]
    assert any(line.startswith("| trice suffix | 0 | +50.0 (") for line in lines), "less whole proposals"
    assert "| trice suffix | 2 | 1, 2, 4 | none, 0.50 | 99 | 3 | 1 |" in lines
