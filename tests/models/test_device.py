"""Which device is taken, and what is said of it."""

from __future__ import annotations

import pytest
import torch

from aurify.models import device
from aurify.models.device import best_device, device_line, has_float64


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    """A machine with a CPU alone, whatever this one has."""
    monkeypatch.delenv("ACCELERATE_TORCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(device, "NVIDIA_DRIVER", tmp_path / "none")


def accelerator(monkeypatch, name: str) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(name))


def test_a_cpu_alone_is_taken_and_nothing_said_of_it():
    assert best_device() == torch.device("cpu")
    assert device_line(torch.device("cpu")) == ""


def test_a_gpu_is_taken_and_named(monkeypatch):
    accelerator(monkeypatch, "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    assert best_device() == torch.device("cuda")
    assert device_line(best_device()) == "device: cuda (NVIDIA H200)"


def test_apples_gpu_is_taken_where_it_is_named_only(monkeypatch):
    accelerator(monkeypatch, "mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert best_device() == torch.device("cpu")
    assert "ACCELERATE_TORCH_DEVICE=mps" in device_line(torch.device("cpu"))
    monkeypatch.setenv("ACCELERATE_TORCH_DEVICE", "mps")
    assert best_device() == torch.device("mps")
    assert device_line(best_device()) == "device: mps"


def test_a_gpu_that_is_named_away_is_not_missed(monkeypatch):
    accelerator(monkeypatch, "cuda")
    monkeypatch.setenv("ACCELERATE_TORCH_DEVICE", "cpu")
    assert best_device() == torch.device("cpu")
    assert device_line(best_device()) == "device: cpu"


@pytest.mark.parametrize(("version", "why"), [(None, "was built without CUDA"), ("13.0", "finds no GPU")])
def test_a_gpu_that_torch_cannot_use_is_told_of(monkeypatch, tmp_path, version, why):
    monkeypatch.setattr(torch.version, "cuda", version)
    monkeypatch.setattr(device, "NVIDIA_DRIVER", tmp_path)
    assert best_device() == torch.device("cpu")
    assert why in device_line(torch.device("cpu"))


def test_this_cpu_knows_float64():
    assert has_float64(torch.device("cpu"))
