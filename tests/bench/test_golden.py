"""What bench/golden.py takes for equal, and what it runs."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import save_file

from aurify.answers import Verdict
from aurify.cli.app import build, exit_status
from aurify.distillation import DistillSettings
from aurify.methods import METHODS
from aurify.rationales import Chain, Memory, Rationale, RationaleTable

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def part(monkeypatch):
    """Imports one of golden_parts, and forgets it after the test."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield lambda name: import_module(f"golden_parts.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "golden_parts"]:
        del sys.modules[name]


def rationale(text: str, step: int = 1) -> Rationale:
    return Rationale("q", (1, 2), text, "7", Verdict.RIGHT, "", "self", "m", step, 0, 5, "stop", -1.0)


def left(
    out: Path, *, weight: float = 1.0, text: str = "So 7.", norm: float = 0.5, seconds: float = 1.0, metadata=None
):
    """A run's folder as a run leaves it."""
    (out / "model").mkdir(parents=True)
    save_file({"w": torch.full((3,), weight)}, out / "model" / "model.safetensors", metadata=metadata)
    table = RationaleTable(out / "rationales")
    table.append([rationale(text)])
    table.flush(1)
    lines = [{"step": 1, "gradient_norm": norm, "timing": {"seconds": seconds}}]
    (out / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    checkpoint = out / "checkpoints" / "step-00000001"
    (checkpoint / "state").mkdir(parents=True)
    for name in ("weights", "optimizer"):
        save_file({"w": torch.full((3,), weight)}, checkpoint / f"{name}.safetensors")
    memory = Memory([Chain("q", rationale(text), 1, 1, 1, 1)])
    (checkpoint / "state" / "memory.parquet").write_bytes(memory.to_parquet())
    return out


def test_the_layout_of_files_and_what_the_machine_does_are_no_difference(part, tmp_path):
    one = part("left").of_folder(left(tmp_path / "one"))
    other = left(tmp_path / "other", seconds=2.0, metadata={"written": "by another version"})
    checkpoint = other / "checkpoints" / "step-00000001"
    (checkpoint / "state" / "memory.parquet").rename(checkpoint / "memory.parquet")
    assert part("left").of_folder(other) == one
    assert set(one) == {"weights", "rationales", "held out", "metrics", "optimizer", "checkpoint", "chains"}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"weight": 1.0 + 2**-23}, {"weights", "optimizer", "checkpoint"}),
        ({"text": "So 7 ."}, {"rationales", "chains"}),
        ({"norm": 0.5 + 2**-53}, {"metrics"}),
    ],
)
def test_one_bit_is_a_difference(part, tmp_path, change, parts):
    one, other = (
        part("left").of_folder(left(tmp_path / "one")),
        part("left").of_folder(left(tmp_path / "other", **change)),
    )
    assert {part for part in one if one[part] != other[part]} == parts


@pytest.mark.parametrize(
    ("after", "status", "says"),
    [
        ({"a": {"weights": "1"}, "b": {"weights": "2"}}, 0, "2 of 2 runs equal"),
        ({"a": {"weights": "1"}, "b": {"weights": "3"}}, 1, "differs: ['weights']"),
        ({"a": {"weights": "1"}, "b": {"weights": "2", "more": "4"}}, 1, "differs: ['more']"),
        ({"a": {"weights": "1"}, "b": {"failed": "no disk"}}, 1, "FAILED after: no disk"),
        ({"a": {"weights": "1"}}, 1, "1 of 2 runs equal"),
        ({"a": {"weights": "1"}, "b": {"weights": "2"}, "c": {}}, 1, "2 of 3 runs equal"),
    ],
)
def test_a_comparison_counts_what_is_equal(part, tmp_path, capsys, after, status, says):
    before = {"a": {"weights": "1"}, "b": {"weights": "2"}}
    for name, runs in (("before", before), ("after", after)):
        (tmp_path / name).write_text(json.dumps({"runs": runs}))
    assert part("comparing").compare(tmp_path / "before", tmp_path / "after") == status
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("after", "status", "says"),
    [
        ({"step": 1, "kl": 0.1, "held_out": {"right": 1, "low": 0.2 + 2**-54}}, 0, "measured only in"),
        ({"step": 1, "held_out": {"right": 1, "low": 0.2 + 1e-9}}, 1, "differs: ['metrics']"),
        ({"step": 1, "held_out": {"right": 2, "low": 0.2}}, 1, "differs: ['metrics']"),
        ({"step": 1.0, "held_out": {"right": 1, "low": 0.2}}, 1, "differs: ['metrics']"),
        ({"step": 1, "kl": 0.1}, 1, "differs: ['metrics']"),
    ],
)
def test_what_is_measured_besides_is_no_difference_and_what_is_no_longer_measured_is(
    part, tmp_path, capsys, after, status, says
):
    before = {"step": 1, "held_out": {"right": 1, "low": 0.2}}
    for name, line in (("before", before), ("after", after)):
        (tmp_path / name).write_text(json.dumps({"runs": {"a": {"metrics": [line]}}}))
    assert part("comparing").compare(tmp_path / "before", tmp_path / "after") == status
    assert says in capsys.readouterr().out


def test_a_method_that_the_source_before_does_not_know_is_told_and_not_counted(part, tmp_path, capsys):
    one, two = {"a": {"weights": "1"}, "b": {"failed": part("ways").why(2, "x\nno such option")}}, {"weights": "1"}
    for name, runs in (("before", one), ("after", {"a": two, "b": two})):
        (tmp_path / name).write_text(json.dumps({"runs": runs}))
    assert part("comparing").compare(tmp_path / "before", tmp_path / "after") == 0
    said = capsys.readouterr().out
    assert "only in AFTER: unknown here: no such option" in said
    assert "1 of 1 runs equal, 1 only in AFTER" in said
    assert part("comparing").compare(tmp_path / "after", tmp_path / "before") == 1  # what is no longer known is missed


def test_two_failures_are_not_equal(part, tmp_path):
    (tmp_path / "one").write_text(json.dumps({"runs": {"a": {"failed": "no disk"}}}))
    assert part("comparing").compare(tmp_path / "one", tmp_path / "one") == 1


def test_every_command_is_one_that_aurify_takes(part, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for run in part("runs").runs():
        if not run.command.startswith("compare"):
            assert exit_status(build, [*run.words, "--dry-run"]) == 0, f"{run.name}: {capsys.readouterr().err}"


def test_every_method_is_among_them(part):
    commands = [run.words for run in part("runs").runs() if run.command.startswith("train")]
    assert {words[1] for words in commands} == set(METHODS.words())


def test_every_way_to_distil_is_among_them(part):
    commands = [run.words for run in part("runs").runs() if run.command.startswith("distill")]
    fields = DistillSettings.model_fields
    assert {words[1] for words in commands} == set(get_args(fields["method"].annotation))
    variants = {words[words.index("--variant") + 1] for words in commands if "--variant" in words}
    assert variants == set(get_args(fields["variant"].annotation))


def test_a_run_brings_what_it_starts_from(part):
    every = list(part("runs").runs())
    assert len({run.name for run in every}) == len(every)
    assert [run.name for run in part("runs").selected(every, "nce-token")] == ["rloo", "nat-full", "nce-token"]


def test_a_recording_goes_on_with_what_is_not_done(part):
    every = list(part("runs").runs())
    done = {run.name for run in every} - {"nce-token"}
    chosen = part("runs").selected(every, "", done, kept={"rloo"})
    assert [run.name for run in chosen] == ["nat-full", "nce-token"]


def test_a_recording_of_another_source_is_not_gone_on_with(part, tmp_path):
    (tmp_path / "before.json").write_text(json.dumps({"source": "src", "state": "1", "runs": {"a": {}}}))
    assert part("recording").recorded(tmp_path / "before.json", "1") == {"a": {}}
    with pytest.raises(SystemExit, match="another source"):
        part("recording").recorded(tmp_path / "before.json", "2")
