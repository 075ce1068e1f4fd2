"""What is damaged in a run's folder: it is said, the earlier state is taken, and nothing is deleted in silence."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.files import MANIFEST, atomic_folder
from aurify.rationales import Memory
from aurify.rationales.memory import Chain
from aurify.running.checkpoint import save_checkpoint

Change = Callable[[Path], None]


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files but the configuration, which says afterwards that the run was resumed."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.toml"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def finished(train, tmp_path_factory):
    """A run of three steps, saved after each."""
    from aurify.cli.app import build, exit_status

    out = tmp_path_factory.mktemp("runs") / "run"
    assert exit_status(build, train(out)) == 0
    return out


@pytest.fixture
def run(finished, tmp_path, train, aurify):
    """A copy of the run, and what goes on with it."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    config = (folder / "config.toml").read_text().replace(str(finished), str(folder))
    (folder / "config.toml").write_text(config)
    return folder, lambda: aurify(*train(folder, "--resume"))


def newest(folder: Path, back: int = 1) -> Path:
    return sorted((folder / "checkpoints").glob("step-*"))[-back]


def rewrite(checkpoint: Path, change: Change) -> None:
    """Change a checkpoint together with its manifest."""
    copy = checkpoint.with_name("copy")
    shutil.copytree(checkpoint, copy)
    (copy / MANIFEST).unlink()
    change(copy)
    with atomic_folder(checkpoint) as new:
        shutil.copytree(copy, new, dirs_exist_ok=True)
    shutil.rmtree(copy)


def nan_in(name: str) -> Change:
    def change(folder: Path) -> None:
        weights = load_file(folder / name)
        key = max(weights, key=lambda one: weights[one].numel())
        weights[key].view(-1)[7] = float("nan")
        save_file(weights, folder / name)

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "nan in the weights": (nan_in("weights.safetensors"), "are not finite"),
    "nan in the moments": (nan_in("optimizer.safetensors"), "are not finite"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), "cannot be read"),
    "a pickle for the optimiser": (
        lambda folder: (folder / "optimizer.safetensors").rename(folder / "optimizer.pt"), "cannot be read",
    ),
    "a memory that is none": (
        lambda folder: next((folder / "state").glob("memory-*")).write_bytes(b"x"), "the state of step",
    ),
    "a start that is none": (lambda folder: (folder / "state/start.json").write_text('["guide"]'), "the state of step"),
    "an unknown start": (lambda folder: (folder / "state/start.json").write_text('{"start_from": "x"}'), "'x'"),
    "a rate that is none": (lambda folder: (folder / "state/update.json").write_text('{"rate": -1}'), "a rate of -1"),
    "tables that are none": (lambda folder: (folder / "state/tables.json").write_text("[3]"), "tables.json: cannot"),
    "a deep state": (lambda folder: (folder / "state/start.json").write_text("[" * 100000), "the state of step"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_changed_with_its_manifest_is_left_out_for_the_one_before(name, run, finished):
    folder, resume = run
    change, says = CHANGES[name]
    rewrite(newest(folder), change)
    done = resume()
    assert done.status == 0, done.err
    left_out = next(line for line in done.err.splitlines() if line.startswith("checkpoint left out"))
    assert says in left_out
    assert f"resumed from {folder / 'checkpoints' / 'step-00000002'}" in done.err
    assert (folder / "model/model.safetensors").read_bytes() == (finished / "model/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "manifest", ['{"version": 1, "files": {}}', '{"version": 99, "files": {}}', "", "[]", '{"files": {}}', "[" * 99999]
)
def test_a_manifest_that_is_empty_or_of_another_version(manifest, run):
    folder, resume = run
    (newest(folder) / MANIFEST).write_text(manifest)
    if "99" in manifest or "1," in manifest:
        (newest(folder) / "weights.safetensors").unlink()
    done = resume()
    assert done.status == 0
    assert "checkpoint left out: " in done.err
    assert "Traceback" not in done.err


def test_with_no_whole_checkpoint_nothing_is_begun_again_and_nothing_changed(run):
    folder, resume = run
    for back in (1, 2):
        with (newest(folder, back) / "weights.safetensors").open("r+b") as file:
            file.seek(1000)
            file.write(b"damage")
    before = snapshot(folder)
    done = resume()
    assert "no checkpoint can be used, and nothing was changed" in done.err.splitlines()[-1]
    assert done.status == 1
    assert snapshot(folder) == before
    shutil.rmtree(folder / "checkpoints")
    assert "the checkpoint of step 2 is gone" in resume().error
    assert snapshot(folder).keys() == {name for name in before if not name.startswith("checkpoints")}


def test_lost_lines_of_the_metrics_are_said(run):
    folder, resume = run
    lines = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text("".join(line for line in lines if '"step": 2' not in line))
    done = resume()
    assert done.status == 0
    assert "the lines of 1 steps are gone, as of step 2" in done.err


@pytest.mark.parametrize("line", [b"not json", b"\xff\x00\x81", b"[1]", b'{"step": "1"}', b"[" * 9999])
def test_a_foreign_line_in_the_metrics_is_named(line, run):
    folder, resume = run
    lines = (folder / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_bytes(b"".join([lines[0], line + b"\n", *lines[1:]]))
    before = snapshot(folder)
    assert "metrics.jsonl:2: not a line of a run's metrics" in resume().error
    assert snapshot(folder) == before


def test_missing_and_damaged_parts_of_the_table_are_said(run):
    folder, resume = run
    first, second = sorted((folder / "rationales").iterdir())[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    done = resume()
    assert done.status == 0
    assert f"{first}: missing, though the run wrote it" in done.err
    assert f"{second}: changed or damaged since the run wrote it" in done.err
    assert second.exists()


def test_a_run_killed_before_its_configuration_was_written_begins(run, train, aurify, tmp_path):
    folder = tmp_path / "begun"
    folder.mkdir()
    (folder / ".lock").write_text("process 1 on elsewhere")
    (folder / ".config.toml.tmp-123456").write_text("method")
    assert aurify(*train(folder, "--steps", "1"), "--resume").status == 0
    assert not list(folder.glob(".*"))


def test_a_run_killed_while_it_pruned_leaves_nothing_behind(run):
    folder, resume = run
    shutil.copytree(newest(folder), folder / "checkpoints" / ".step-00000001.tmp-123456")
    (folder / "checkpoints" / ".step-00000001.tmp-123456" / MANIFEST).unlink()
    assert resume().status == 0
    assert not list((folder / "checkpoints").glob(".*"))


@pytest.fixture
def small_disk():
    """No file may become larger than this, as on a full disk; the bound is lifted with the test."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_a_checkpoint_is_one_line_and_the_others_stay(run, small_disk):
    folder, resume = run
    shutil.rmtree(newest(folder))
    before = snapshot(folder / "checkpoints")
    error = resume().error
    assert "step-00000003: cannot be written" in error
    assert snapshot(folder / "checkpoints") == before


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    save_checkpoint(tmp_path, 1, dict(layer.named_parameters()), optimizer, {})
    with torch.no_grad():
        layer.bias[0] = float("inf")
    with pytest.raises(AurifyError, match="not finite after step 2: nothing of it is saved"):
        save_checkpoint(tmp_path, 2, dict(layer.named_parameters()), optimizer, {})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_mutated_memory_is_an_error_and_nothing_else(tmp_path):
    ((name, file),) = Memory([Chain("a"), Chain("b", visits=3)]).save(1).items()
    content = file.content()
    for place in range(0, len(content), 29):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        with suppress(AurifyError):
            Memory.saved({name: bytes(changed)})


def test_hashes_say_what_a_run_left(finished):
    recorded = json.loads((newest(finished) / "state" / "tables.json").read_text())
    assert set(recorded) == {"rationales", "held_out"}
    for name, digest in recorded["rationales"].items():
        content = (finished / "rationales" / name).read_bytes()
        assert digest == hashlib.blake2b(content, digest_size=16).hexdigest()
