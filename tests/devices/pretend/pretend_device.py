"""The device ``pretend``, for torch: see pretend.cpp. torch loads it where this folder is on the path (entry point)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Module:
    """What ``torch.pretend`` holds. It has no states of random numbers, so whoever asks for one fails."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        import torch

        return [torch.bfloat16]


def load() -> None:
    """Make the device known; PRETEND names the compiled library."""
    import torch
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend("pretend", backend_module=Module())
    torch.ops.load_library(os.environ["PRETEND"])
    # As on a GPU, a weight that two layers share is one weight after it was moved.
    torch.__future__.set_swap_module_params_on_conversion(True)
