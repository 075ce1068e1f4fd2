"""All work is done on the device that there is: on one that refuses what a GPU refuses, and with the CPU's results."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from aurify.rationales import RationaleTable

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


@pytest.fixture(scope="module")
def pretend(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a process whose accelerator is ``pretend``."""
    if not shutil.which("g++"):
        pytest.skip("no g++ here, to compile a device with")
    from torch.utils.cpp_extension import include_paths, library_paths

    library = tmp_path_factory.mktemp("pretend") / "pretend.so"
    subprocess.run(
        ["g++", "-shared", "-fPIC", "-O0", "-std=c++20", *(f"-I{one}" for one in include_paths()),
         str(HERE / "pretend" / "pretend.cpp"), "-o", str(library), *(f"-L{one}" for one in library_paths()),
         "-ltorch_cpu", "-lc10"],
        check=True, timeout=280,
    )  # fmt: skip
    path = os.pathsep.join([str(HERE / "pretend"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PRETEND": str(library), "PYTHONPATH": path, "ACCELERATE_TORCH_DEVICE": "pretend"}


def python(*words: object, env: dict[str, str] | None = None, stderr: int = subprocess.PIPE) -> str:
    """What such a process prints; it must end well."""
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=env, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=280,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr or done.stdout)[-3000:]
    return done.stdout


def test_the_device_refuses_what_a_gpu_refuses(pretend):
    mixed = "import torch; torch.ones(2, device=torch.accelerator.current_accelerator()) + torch.ones(2)"
    done = subprocess.run([sys.executable, "-c", mixed], env=pretend, capture_output=True, text=True, check=False)
    assert "same device" in done.stderr
    doubled = "import torch; torch.ones(2, dtype=torch.float64, device=torch.accelerator.current_accelerator())"
    done = subprocess.run([sys.executable, "-c", doubled], env=pretend, capture_output=True, text=True, check=False)
    assert "TypeError" in done.stderr
    assert "pretend" in python("-c", "import torch; print(torch.accelerator.current_accelerator())", env=pretend)


def test_commands_come_to_the_same_on_both_devices(pretend, tmp_path):
    questions = tmp_path / "questions.jsonl"
    asked = python("-m", "aurify.nugget", "--questions", "object_counting", "--n", "12")
    questions.write_text(asked, encoding="utf-8")
    for name, env in (("host", None), ("device", pretend)):
        said = python(HERE / "commands.py", questions, tmp_path / name, env=env, stderr=subprocess.STDOUT)
        assert said.count("device: pretend") == (4 if env else 0)
    for table in ("trice/rationales", "grpo/rationales", "evaluated/samples"):
        host, device = (
            [one.text for one in RationaleTable(tmp_path / name / table).read()] for name in ("host", "device")
        )
        assert host == device
        assert len(host) > 7
    files = (tmp_path / "host").glob("*/model/**/*.safetensors")
    weights = sorted(path.relative_to(tmp_path / "host") for path in files)
    assert len(weights) >= 4  # an adapter, whole weights, and both of NAT's
    for path in weights:
        host, device = load_file(tmp_path / "host" / path), load_file(tmp_path / "device" / path)
        assert host.keys() == device.keys()
        for key, value in host.items():
            torch.testing.assert_close(device[key], value, atol=2e-3, rtol=0.0)


def test_models_of_every_way_of_sampling_and_scoring(pretend):
    families = "qwen2,gemma2,mixtral,deepseek v2,lfm2,mamba2,rwkv"
    found = python(
        REPOSITORY / "bench" / "architectures.py", "--families", families, "--device", "pretend", env=pretend
    )
    rows = [line.split() for line in found.splitlines() if " float32 " in line]
    assert len(rows) == 7, found
    assert all(float(error) < 1e-5 for row in rows for error in row[-3:-1])
