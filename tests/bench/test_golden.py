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
    for name, file in memory.save(1).items():
        (checkpoint / "state" / name).write_bytes(file.content())
    return out


def test_the_layout_of_files_and_what_the_machine_does_are_no_difference(part, tmp_path):
    one = part("left").of_folder(left(tmp_path / "one"))
    other = left(tmp_path / "other", seconds=2.0, metadata={"written": "by another version"})
    checkpoint = other / "checkpoints" / "step-00000001"
    (memory,) = checkpoint.rglob("memory-*.parquet")
    memory.rename(checkpoint / "memory.parquet")
    assert part("left").of_folder(other) == one
    assert set(one) == {"weights", "rationales", "held out", "metrics", "optimizer", "checkpoint", "chains"}


def test_a_column_has_a_hash_of_its_own(part, tmp_path):
    one, other = (part("left").of_folder(left(tmp_path / text, text=text))["rationales"] for text in ("So 7.", "So 8."))
    assert one["rows"] == other["rows"] == 1
    assert {name for name in one["columns"] if one["columns"][name] != other["columns"][name]} == {"text"}


def test_lines_of_another_kind_leave_the_others_comparable(part):
    by_kind = part("left").by_kind
    one, other = by_kind(['{"a": 1}', '{"a": 2}']), by_kind(['{"a": 1}', '{"b": 1, "a": 0}', '{"a": 2}'])
    assert (list(one), list(other)) == (["a"], ["a", "a+b"])
    assert one["a"] == other["a"] != by_kind(['{"a": 2}', '{"a": 1}'])["a"]


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


@pytest.fixture
def compared(part, tmp_path, capsys):
    """The exit status and what is printed of two recordings."""

    def compare(before, after):
        for name, runs in (("before", before), ("after", after)):
            (tmp_path / name).write_text(json.dumps({"runs": runs}))
        return part("comparing").compare(tmp_path / "before", tmp_path / "after"), capsys.readouterr().out

    return compare


@pytest.mark.parametrize(
    ("after", "status", "says"),
    [
        ({"a": {"weights": "1"}, "b": {"weights": "2"}}, 0, "2 of 2 runs equal"),
        ({"a": {"weights": "1"}, "b": {"weights": "3"}}, 1, "differs: weights"),
        ({"a": {"weights": "1"}, "b": {"weights": "2", "more": "4"}}, 0, "new: more (1 runs)"),
        ({"a": {"weights": "1"}, "b": {"more": "4"}}, 1, "differs: weights"),
        ({"a": {"weights": "1"}, "b": {"failed": "no disk"}}, 1, "FAILED after: no disk"),
        ({"a": {"weights": "1"}}, 1, "1 of 2 runs equal"),
        ({"a": {"weights": "1"}, "b": {"weights": "2"}, "c": {}}, 1, "2 of 3 runs equal"),
    ],
)
def test_a_comparison_counts_what_is_equal(compared, after, status, says):
    told = compared({"a": {"weights": "1"}, "b": {"weights": "2"}}, after)
    assert told[0] == status
    assert says in told[1]


@pytest.mark.parametrize(
    ("after", "status", "says"),
    [
        ({"step": 1, "kl": 0.1, "held_out": {"right": 1, "low": 0.2 + 2**-54}}, 0, "new: metrics.kl (1 runs)"),
        ({"step": 1, "held_out": {"right": 1, "low": 0.2 + 1e-9}}, 1, "differs: metrics.held_out.low"),
        ({"step": 1, "held_out": {"right": 2, "low": 0.2}}, 1, "differs: metrics.held_out.right"),
        ({"step": 1.0, "held_out": {"right": 1, "low": 0.2}}, 1, "differs: metrics.step"),
        ({"step": 1, "kl": 0.1}, 0, "gone: metrics.held_out (1 runs)"),
    ],
)
def test_metrics_are_compared_by_the_keys_that_both_have(compared, after, status, says):
    told = compared(
        *({"a": {"metrics": [line]}} for line in ({"step": 1, "held_out": {"right": 1, "low": 0.2}}, after))
    )
    assert told[0] == status
    assert says in told[1]


def test_a_line_of_metrics_more_is_a_difference(compared):
    line = {"step": 1}
    told = compared({"a": {"metrics": [line]}}, {"a": {"metrics": [line, line]}})
    assert told[0] == 1
    assert "differs: metrics.length" in told[1]


def test_tables_are_compared_by_the_columns_that_both_have(compared):
    before = {"rows": 1, "columns": {"id": "1", "extended": "2"}}
    status, says = compared(
        {"a": {"chains": before}, "b": {"chains": before}, "c": {"chains": before}},
        {
            "a": {"chains": {"rows": 1, "columns": {"id": "1", "others": "2", "taken": "2"}}},
            "b": {"chains": {"rows": 1, "columns": {"id": "1", "others": "2", "taken": "3"}}},
            "c": {"chains": {"rows": 1, "columns": {"id": "0", "others": "2", "taken": "3"}}},
        },
    )
    assert status == 1
    assert "differs: chains.id" in says
    assert "chains                   equal in 2 of 3 runs" in says
    assert "gone: chains.extended (3 runs, with the values of others)" in says
    assert "new: chains.others (3 runs); chains.taken (3 runs)" in says
    assert "2 of 3 runs equal in all that both have" in says


def test_artefacts_of_the_runs_of_a_comparison_count_as_one(compared):
    before = {"1-trice: weights": "1", "1-star: weights": "2"}
    status, says = compared({"a": before}, {"a": {**before, "1-star: weights": "3"}})
    assert status == 1
    assert "weights                  equal in 0 of 1 runs" in says


def test_a_method_that_the_source_before_does_not_know_is_told_and_not_counted(part, compared):
    one, run = {"a": {"weights": "1"}, "b": {"failed": part("ways").why(2, "x\nno such option")}}, {"weights": "1"}
    status, says = compared(one, {"a": run, "b": run})
    assert status == 0
    assert "only in AFTER: unknown here: no such option" in says
    assert "1 of 1 runs equal in all that both have; 1 runs only in AFTER" in says
    assert compared({"a": run, "b": run}, one)[0] == 1  # what is no longer known is missed


def test_two_failures_are_not_equal(compared):
    failed = {"a": {"failed": "no disk"}}
    assert compared(failed, failed)[0] == 1


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
