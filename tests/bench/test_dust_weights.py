"""The bench of NAT's and NCE's weights by token, on runs of the tiny model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import dust_weights

from aurify.distillation import DistillSettings, run_distillation


def test_tables_and_a_picture_of_a_nat_run_and_of_nce_after_it(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["1 + 1 = 2. The answer is 2.", "1 | 1 = 3. The answer is 3."]
    file = tmp_path / "rows.jsonl"
    rows = [{"question": f"{i} times 1 + 1?", "answer": "2", "samples": texts} for i in range(3)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = {"data": str(file), "from_": str(file), "answers": "number", "holdout": 0.0, "steps": 1, "rationales": 2}
    nat = {**common, "method": "nat", "model": str(tiny_model_dir), "out": str(tmp_path / "nat"), "unit_width": 3}
    run_distillation(DistillSettings(**nat), held_out=[])
    nce = {**common, "method": "nce", "model": str(tmp_path / "nat" / "model"), "out": str(tmp_path / "nce")}
    run_distillation(DistillSettings(**nce, samples=0), held_out=[])
    words = ["dust_weights.py", tmp_path / "nat", tmp_path / "nce", "--picture", tmp_path / "weights.png"]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    dust_weights.main()
    out = capsys.readouterr().out
    assert "| nat: weight of NAT's unit on the negative side | tokens |" in out
    assert "| right rationales | " in out
    assert "| wrong rationales | " in out
    assert "| nce: NCE's weight | tokens |" in out
    assert "Of 3 rationales the mean weight is 0.5" in out
    assert (tmp_path / "weights.png").stat().st_size > 1000


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="neither unit_weights"):
        dust_weights.files_of(tmp_path)
