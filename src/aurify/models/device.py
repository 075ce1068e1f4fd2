"""The device that this process computes on, and what it is called."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import torch

NAMED = "ACCELERATE_TORCH_DEVICE"
"""The variable by which accelerate is told of a device, which is therefore ours too."""
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def best_device() -> torch.device:
    """The device that ``ACCELERATE_TORCH_DEVICE`` names, else the accelerator that torch has, else the CPU.

    Apple's GPU is taken where it is named only: it knows no float64, and nothing here was ever run on one.
    """
    if named := os.environ.get(NAMED):
        return torch.device(named)
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return torch.device("cpu") if found is None or found.type == "mps" else found


def device_line(device: torch.device) -> str:
    """What a user should know of it: its name, or the GPU that is left alone. Empty where the CPU is all there is."""
    if device.type != "cpu":
        name = getattr(torch.get_device_module(device), "get_device_name", lambda _: "")(device)
        return f"device: {device}{f' ({name})' if name else ''}"
    if os.environ.get(NAMED):
        return "device: cpu"
    if torch.backends.mps.is_available():
        return f"device: cpu (aurify was never run on Apple's GPU: {NAMED}=mps tries it)"
    if NVIDIA_DRIVER.exists() and not torch.accelerator.is_available():
        why = "was built without CUDA" if torch.version.cuda is None else "finds no GPU that it can use"
        return f"device: cpu (there is an NVIDIA driver here, but torch {torch.__version__} {why})"
    return ""


@lru_cache
def has_float64(device: torch.device) -> bool:
    """Whether a device knows float64; Apple's do not."""
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True
