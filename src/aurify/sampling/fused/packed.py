"""Matrices in the layout of the CPU's bfloat16 products, made once and not again at every token.

PyTorch lays a bfloat16 matrix out for oneDNN's kernels inside each call of ``linear``. Next to the product of a few
rows, which is what a decode step is, that takes long: on one core of an AMD EPYC with AVX512-BF16 a matrix of 896 by
4864 makes 13 GFLOP/s laid out beforehand and 6 otherwise at 1 row, 80 and 42 at 8, 189 and 128 at 64. The results are
equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Product = Callable[[Tensor], Tensor]
"""Of inputs (N, I) with a matrix and its bias: (N, O)."""


def product(weight_OI: Tensor, bias_O: Tensor | None) -> Product | None:
    """The product with a copy of this matrix in that layout; None where there is none for it."""
    if weight_OI.dtype != torch.bfloat16 or weight_OI.device.type != "cpu" or not _works():
        return None
    weight = _operators()._reorder_linear_weight(weight_OI.detach().contiguous(), None)
    times = _operators()._linear_pointwise
    return lambda x_NI: times(x_NI, weight, bias_O, "none", [], "")


def _operators() -> Any:
    return torch.ops.mkldnn


@lru_cache(maxsize=1)
def _works() -> bool:
    """Whether this build of PyTorch has those operators, this processor the kernels, and both agree with ``linear``."""
    x_NI, weight_OI, bias_O = (torch.linspace(-1, 1, n).bfloat16() for n in (3 * 16, 8 * 16, 8))
    x_NI, weight_OI = x_NI.view(3, 16), weight_OI.view(8, 16)
    try:
        weight = _operators()._reorder_linear_weight(weight_OI, None)
        y_NO = _operators()._linear_pointwise(x_NI, weight, bias_O, "none", [], "")
    except (AttributeError, RuntimeError):
        return False
    return bool(torch.allclose(y_NO.float(), functional.linear(x_NI, weight_OI, bias_O).float(), atol=0.05))
