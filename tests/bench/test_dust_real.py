"""The bench of the second paper on its own data: which rows it takes, what it prints, and a small run that goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import dust_data
import dust_real
from dust_table import print_tables


def sample(correct: bool | None, text: str = "1 + 1 = 2", **more: Any) -> dict[str, Any]:
    return {"rationale": text, "predicted_answer": "2", "correct": correct, **more}


def test_samples_whose_labels_cannot_be_trusted_are_left_out() -> None:
    row = {"answer": "2", "samples": [sample(True), sample(None), sample(False), sample(False, value_equal=True)]}
    assert [one["verdict"] for one in dust_data.cleaned(row)["samples"]] == ["right", "wrong"]
    assert dust_data.cleaned({**row, "answer": None})["samples"] == []


def test_what_is_held_out_does_not_depend_on_what_is_learned_from(tmp_path: Path) -> None:
    rows = [
        {"id": f"p{i}", "answer": "2", "samples": [sample(True), sample(i % 3 == 0)], "problem": f"problem {i}"}
        for i in range(30)
    ]
    dust_data.write(tmp_path / "teacher.jsonl", rows)
    found = []
    for problems in (5, 20):
        train, held = dust_data.write_teacher(
            tmp_path / "teacher.jsonl", tmp_path / str(problems), problems=problems, held_out=4
        )
        found.append([{row["id"] for row in dust_data.rows(file)} for file in (train, held)])
    (few, held), (more, again) = found
    assert (len(few), len(more), len(held)) == (5, 20, 4)
    assert held == again
    assert few < more
    assert not held & more
    assert all(int(name[1:]) % 3 for name in held), "those with right and wrong samples"


def test_tables_of_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("problems", "held_out", "tokens", "rationales", "max_tokens", "rate", "samples", "test_rows", "dtype")
    told = {"student": "models/small", "teacher": "gpt-4", **dict.fromkeys(settings, "1")}
    (tmp_path / "settings.json").write_text(json.dumps(told))
    lines = []
    for method, gain in (("base", 0.0), ("kd", 0.2), ("nat", 0.3), ("negative", 0.1)):
        for seed in (0,) if method == "base" else (0, 1, 2):
            own = {f"q{i}": -1 + gain + 0.01 * i + 0.001 * seed * (i % 3) for i in range(8)}
            half = dict.fromkeys(own, 0.5)
            facts = {"right": own, "wrong": own, "preferred": half, "seconds": 60.0}
            lines.append({"method": method, "seed": seed, "part": "likelihood", **facts})
            right = {f"r{i}": float(i < 10 * gain) for i in range(10)}
            lines.append({"method": method, "seed": seed, "part": "gsm8k", "right": right, "seconds": 20.0})
            spent = {"stages": ["s"], "steps": 2, "tokens": 1000, "seconds": 200.0, "busy": 0.5, "peak_memory_mb": 2048}
            lines.append({"method": method, "seed": seed, "part": "train", **spent})
    dust_data.write(tmp_path / "results.jsonl", lines)
    print_tables(tmp_path, 36_000, 10)
    out = capsys.readouterr().out
    assert "| nat | 3 | -0.66" in out
    (claim,) = (line for line in out.splitlines() if line.startswith("| NAT beats CoT-KD"))
    assert "| NAT beats CoT-KD | 3 | +0.1000 (" in claim
    assert claim.count("holds") == 1, "of accuracies 1 in 10 apart, 10 questions tell nothing"
    assert "| 0 | 1 | 2 | 1 | 0.500 | 0.2 |" in out, "what kd and the negative student solve"
    # 22 runs and 26 stages of 36,000 tokens at 10 a second, and 22 x 5 x 10 answers of 2 s
    assert "22 runs" in out
    hours = (26 * 3600 + 22 * 5 * 10 * 2) / 3600
    assert f"take {hours:.0f} hours" in out
    assert "| kd | 0 | s | 2 | 1000 | 3.3 | 1.7 | 10 | 2.0 |" in out


def test_a_small_run_is_measured_and_not_repeated(
    tmp_path: Path, shared_data: Path, tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "dust_real.py", "--out", tmp_path / "out", "--student", tiny_model_dir, "--data", shared_data, "--problems", 60,
        "--held-out", 8, "--tokens", 200, "--rationales", 2, "--max-tokens", 420, "--tests", "multiarith",
        "--test-rows", 2, "--max-new-tokens", 3, "--dtype", "float32", "--methods", "kd", "nce", "negative",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    dust_real.main()
    results = dust_data.rows(tmp_path / "out" / "results.jsonl")
    parts = [(one["method"], one["part"]) for one in results]
    assert parts == [
        ("base", "likelihood"), ("base", "multiarith"),
        *((method, part) for method in ("kd", "nat", "nce") for part in ("train", "likelihood", "multiarith")),
        ("negative", "likelihood"), ("negative", "multiarith"),
    ]  # fmt: skip
    base, kd = (one for one in results if one["part"] == "likelihood" and one["method"] in ("base", "kd"))
    assert base["right"].keys() == kd["right"].keys()
    assert base["right"] != kd["right"]
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--seeds", "0"])
    dust_real.main()
    assert len(dust_data.rows(tmp_path / "out" / "results.jsonl")) == len(results)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--rate", "0.1"])
    with pytest.raises(SystemExit, match=r"other settings \(rate\)"):
        dust_real.main()
