"""``functional.linear`` without a gradient, by the faster of the two libraries that PyTorch's CPU build has.

PyTorch gives float32 products to MKL. On an AMD EPYC (AVX2, one core) MKL makes of a matrix with many more outputs
than inputs, which an output layer and the joined gate and up projections are, half to three quarters of what oneDNN
makes: of 151,936 by 896 at 8, 32, 64 and 512 rows 8, 22, 21 and 39 GFLOP/s to oneDNN's 18, 31, 35 and 49; of 4,864 by
896 at the same rows 9, 18, 24 and 46 to 10, 30, 35 and 59. Of other forms, and of fewer rows, MKL makes as much.
"""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

TALL = 4
"""Outputs an input from which on oneDNN is asked."""
LARGE = 2**20
"""Elements of a matrix from which on it is; a smaller one stays in the cache, where MKL is faster."""
ROWS = 8
"""Of the input, likewise."""


def linear(x_NI: Tensor, weight_OI: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """x W^T + b, (N, O); no gradient flows through it."""
    if len(x_NI) >= ROWS and is_tall(weight_OI) and not torch.is_autocast_enabled("cpu") and other_is_faster():
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x_NI, weight_OI, bias_O, "none", [], "")
        return found
    return functional.linear(x_NI, weight_OI, bias_O)


def is_tall(weight_OI: Tensor) -> bool:
    """Whether it is a matrix of the kind that MKL is slow with."""
    n_outputs, n_inputs = weight_OI.shape
    return (
        weight_OI.dtype == torch.float32
        and weight_OI.device.type == "cpu"
        and weight_OI.is_contiguous()
        and n_outputs >= TALL * n_inputs
        and weight_OI.numel() >= LARGE
    )


@lru_cache(maxsize=1)
def other_is_faster() -> bool:
    """On processors that are not Intel's, by whom MKL is, where this build of PyTorch has both and they agree."""
    has_mkl = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    if platform.machine() != "x86_64" or _vendor() == "GenuineIntel" or not has_mkl:
        return False
    x_NI, weight_OI, bias_O = torch.linspace(-1, 1, 3 * 16), torch.linspace(-1, 1, 8 * 16), torch.linspace(-1, 1, 8)
    x_NI, weight_OI = x_NI.view(3, 16), weight_OI.view(8, 16)
    try:
        y_NO = torch.ops.mkldnn._linear_pointwise(x_NI, weight_OI, bias_O, "none", [], "")
    except (AttributeError, RuntimeError):
        return False
    return bool(torch.allclose(y_NO, functional.linear(x_NI, weight_OI, bias_O), atol=1e-5))


def _vendor() -> str:
    """Of the processor, as Linux tells it; empty where it does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "")
