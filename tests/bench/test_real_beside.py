"""TRL beside aurify for the same seconds: what the tables conclude, and a small run of both where TRL is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from aurify.models import load_model, prepare
from aurify.models.prompting import PromptForm

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import real_beside
from real_beside_table import best_rate, print_tables, seconds_to
from speed_parts.budgeted import settings_of
from speed_parts.shared import PEERS


def finished(side: str, seed: int, rate: float | None, values: list[float], right: int) -> dict[str, Any]:
    """A run of two steps of 100 s each, its accuracies at 0, 100 and 200 s, and how many of ten answers are right."""
    before, after = ({f"q{i}": float(i < many) for i in range(10)} for many in (2, right))
    return {
        "name": f"{side}-{rate}-{seed}", "side": side, "rate": rate, "seed": seed, "before": before,
        "after": after, "sampled": after, "curve": [[100.0 * i, value] for i, value in enumerate(values)],
        "seconds": [100.0, 100.0], "processor": [99.0, 91.0],
        "samples": [64, 64], "tokens": [6400, 3200], "verdicts": [{"right": 5, "truncated": 7, "wrong": 52}] * 2,
        "peak_mb": 2048.0,
    }  # fmt: skip


RUNS = [
    finished("trl", 0, 1e-5, [0.2, 0.2, 0.3], 3), finished("trl", 0, 1e-4, [0.2, 0.4, 0.5], 5),
    finished("trice", 0, None, [0.2, 0.6, 0.9], 9), finished("star", 0, None, [0.2, 0.3, 0.4], 4),
]  # fmt: skip


def test_the_best_of_a_sides_rates_stands_for_it() -> None:
    assert best_rate(RUNS[:2])[0]["rate"] == 1e-4
    one_seed_more = [*RUNS[:2], finished("trl", 1, 1e-5, [0.2, 0.2, 0.3], 3)]
    assert best_rate(one_seed_more)[1]["rate"] == 1e-5, "of rates with all seeds"


def test_seconds_to_an_accuracy_are_those_of_the_first_evaluation_that_has_it() -> None:
    curve = [(0.0, 0.2), (100.0, 0.5), (200.0, 0.4), (300.0, 0.5)]
    assert (seconds_to(curve, 0.3), seconds_to(curve, 0.2)) == (100.0, 0.0)
    assert seconds_to(curve, 0.51) == float("inf")


def test_tables_of_runs(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(RUNS, ["trice", "star", "trl"])
    out = capsys.readouterr().out
    assert "| trl | 1e-05 | 0 | 20.0 % | 100 s: 20.0, 200 s: 30.0 | 30.0 (" in out, "every rate is shown"
    assert "| 2 | 100.0 | 95 % | 2.0 | 5 of 64 | 7 | 75 |" in out
    assert "| trice | 0 | 50.0 % | 200 | 100 | 0.50 |" in out
    assert "| star | 0 | 50.0 % | 200 | never | - |" in out
    assert "| trice | 0 | +40.0 (" in out
    assert "| +70.0 (" in out, "trice's change from 20 % to 90 %"
    print_tables(RUNS[:2], ["trl"])
    assert "Nothing to compare yet" in capsys.readouterr().out


def test_settings_behind_the_dashes() -> None:
    words = ["m", "d.jsonl", "--rates", "trl=1e-5,2e-4", "trice=1e-4", "--", "--max-new-tokens", "9", "--skip-bad"]
    args = real_beside.arguments(words)
    assert args.more == {"max_new_tokens": "9", "skip_bad": True}
    assert args.rates == {"trl": [1e-5, 2e-4], "trice": [1e-4]}
    with pytest.raises(SystemExit):
        real_beside.arguments(["m", "d.jsonl"])


def test_an_adapter_is_merged_once_with_its_prompt_and_weights_are_taken_as_they_are(
    tmp_path: Path, tiny_model_dir: Path
) -> None:
    loaded = load_model(str(tiny_model_dir), trainable=True)
    adapted = prepare(loaded.model, loaded.tokenizer, kind="lora", lora_rank=2).model
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.05)
    adapter = tmp_path / "adapter"
    adapted.save_pretrained(adapter)
    PromptForm("plain", max_new_tokens=9).save(adapter)
    folder = real_beside.merged(adapter, tmp_path / "begin")
    made = (tmp_path / "begin" / "config.json").stat().st_mtime_ns
    again = load_model(folder)
    ids = torch.tensor([[5, 6, 7]])
    torch.testing.assert_close(again.model(ids).logits, adapted(ids).logits)
    with adapted.disable_adapter():
        assert (again.model(ids).logits - adapted(ids).logits).abs().max() > 1e-3, "the adapter does something"
    assert PromptForm.read(folder) == PromptForm("plain", max_new_tokens=9)
    assert real_beside.merged(adapter, tmp_path / "begin") == folder
    assert (tmp_path / "begin" / "config.json").stat().st_mtime_ns == made
    assert real_beside.merged(tiny_model_dir, tmp_path / "none") == str(tiny_model_dir.resolve())


def test_methods_of_several_samples_ask_fewer_questions_and_star_learns_online(tmp_path: Path) -> None:
    words = ["nugget", "d.jsonl", "--out", str(tmp_path), "--", "--max-new-tokens", "9", "--dtype", "float32"]
    args = real_beside.arguments(words)
    common = real_beside.common_settings(args, "nugget")
    found = {}
    for side in ("trice", "grpo", "star", "rejection", "trl"):
        settings = settings_of(real_beside.plan_of(args, real_beside.Job(side, None, 3), common))
        found[side] = settings.questions
        assert (settings.seed, settings.tuning, settings.lr, settings.max_new_tokens) == (3, "lora", None, 9)
        assert side != "star" or settings.refits == 0
    assert found == {"trice": 64, "grpo": 8, "star": 64, "rejection": 16, "trl": 8}


@pytest.mark.skipif(not PEERS.exists(), reason="no .venv-peers: run make peers")
def test_both_sides_run_on_the_embedded_model_and_what_is_finished_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.jsonl"
    words = ["real_beside.py", "--quick", "--kept", str(kept), "--out"]
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path)])
    monkeypatch.setattr(real_beside, "settle", lambda core: None)
    real_beside.main()
    trice, trl = map(json.loads, kept.read_text(encoding="utf-8").splitlines())
    assert (trice["side"], trl["side"]) == ("trice", "trl")
    assert trice["before"] == trl["before"], "the same weights, asked the same"
    assert len(trl["after"]) == 4
    for run in (trice, trl):
        assert sum(run["verdicts"][0].values()) == run["samples"][0] == 16
        assert run["curve"][0][0] == 0
        assert run["curve"][-1][0] == pytest.approx(sum(run["seconds"]), abs=1)
        assert sum(run["seconds"]) >= 1
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path / "on another machine")])
    real_beside.main()
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 2
    assert "| trl |" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path)])
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "limit": 5}))
    with pytest.raises(SystemExit, match=r"other settings \(limit\)"):
        real_beside.main()
