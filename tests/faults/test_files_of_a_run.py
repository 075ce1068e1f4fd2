"""A run's files: readable by whom the umask says, and the same whatever chance has to say in a process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest


def lora_run(train, out: Path, seed: str) -> dict[str, str]:
    """The hashes of what a run leaves in its model folder, under a umask of 027."""
    script = "import os, sys; os.umask(0o027); from aurify.cli.app import main; main()"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", script, *train], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = [path for path in (out / "model").rglob("*") if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def both(train, tmp_path_factory):
    """The same run in two processes that hash names differently."""
    folder = tmp_path_factory.mktemp("runs")
    out = folder / "run"
    first = lora_run(train(out, "--tuning", "lora", "--steps", "1"), out, "1")
    out.rename(folder / "first")
    return first, lora_run(train(out, "--tuning", "lora", "--steps", "1"), out, "2"), out


def test_a_model_folder_is_the_same_whatever_order_names_are_hashed_in(both):
    first, second, out = both
    names = json.loads((out / "model" / "adapter_config.json").read_text())["target_modules"]
    assert len(names) > 3
    assert names == sorted(names)
    assert first == second


def test_files_follow_the_umask(both):
    for path in both[2].rglob("*"):
        allowed = 0o750 if path.is_dir() else 0o640
        assert stat.S_IMODE(path.stat().st_mode) & ~0o111 == allowed & ~0o111, path


@pytest.mark.parametrize("changed", ["data", "examples", "model"])
def test_sample_does_not_go_on_with_other_data(changed, questions, tiny_model_dir, aurify, tmp_path):
    model, data, shots = tmp_path / "model", tmp_path / "data.jsonl", tmp_path / "shots.txt"
    shutil.copytree(tiny_model_dir, model)
    shutil.copy(questions, data)
    shots.write_text(
        "Question: 1 + 1?\nAnswer: One and one. The answer is 2.\n\nQuestion: 2 + 2?\nAnswer: So 4. The answer is 4.\n"
    )
    words = ["sample", "--model", model, "--data", data, "--few-shot", shots, "--out", tmp_path / "out", "--samples", 1,
             "--limit", 2, "--max-new-tokens", 2]  # fmt: skip
    assert aurify(*words).status == 0
    assert aurify(*words).status == 0
    if changed == "data":
        data.write_text(data.read_text().replace("How many", "Say how many"))
    elif changed == "examples":
        shots.write_text(shots.read_text().replace("One and one", "Easy"))
    else:
        file = model / "model.safetensors"
        content = bytearray(file.read_bytes())
        content[-3] ^= 1
        file.write_bytes(bytes(content))
    assert "what is read is not what its table was begun with" in aurify(*words).error


def test_sample_goes_on_with_the_same_files_in_another_place(questions, tiny_model_dir, aurify, tmp_path):
    for place in ("old", "new", "other"):
        (tmp_path / place).mkdir()
        shutil.copytree(tiny_model_dir, tmp_path / place / "model")
        shutil.copy(questions, tmp_path / place / "sums.jsonl")
    other = tmp_path / "other" / "sums.jsonl"
    other.write_text(other.read_text().replace("How many", "Say how many"))

    def sample(place):
        here = tmp_path / place
        return aurify("sample", "--model", here / "model", "--data", here / "sums.jsonl", "--out", tmp_path / "out",
                      "--samples", 1, "--limit", 2, "--max-new-tokens", 2)  # fmt: skip

    assert sample("old").status == 0
    config = tmp_path / "out" / "config.toml"
    before = config.read_text()
    assert "what is read is not what its table was begun with (questions: " in sample("other").error
    assert config.read_text() == before
    assert sample("new").status == 0
    assert config.read_text() == before.replace(f"{tmp_path}/old/", f"{tmp_path}/new/")
