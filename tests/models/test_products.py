"""A tall float32 matrix goes through the other library of PyTorch's, and the product is the product."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from aurify.models.products import LARGE, ROWS, TALL, is_tall, linear, other_is_faster

N_INPUTS = 400
N_OUTPUTS = 8 * N_INPUTS


class Seen(TorchDispatchMode):
    """The names of the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))

    @property
    def other(self) -> bool:
        """Whether one of them was oneDNN's."""
        return any("mkldnn" in name for name in self.names)


def tall(dtype: torch.dtype = torch.float32) -> Tensor:
    assert N_OUTPUTS * N_INPUTS > LARGE
    return torch.randn(N_OUTPUTS, N_INPUTS, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize("rows", [0, 1, ROWS - 1, ROWS, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_torchs_own(rows: int, bias: bool) -> None:
    torch.manual_seed(rows)
    weight_OI, bias_O = tall(), torch.randn(N_OUTPUTS) if bias else None
    inputs = torch.randn(rows, N_INPUTS)
    for x_NI in (inputs, inputs.T.contiguous().T, torch.zeros_like(inputs)):
        with Seen() as seen:
            found = linear(x_NI, weight_OI, bias_O)
        assert seen.other == (rows >= ROWS and other_is_faster())
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, functional.linear(x_NI, weight_OI, bias_O), atol=1e-4, rtol=1e-5)


def test_later_changes_of_the_matrix_reach_it() -> None:
    weight_OI = tall()
    linear(torch.ones(ROWS, N_INPUTS), weight_OI)
    weight_OI.fill_(1.0)
    assert torch.equal(linear(torch.ones(ROWS, N_INPUTS), weight_OI), torch.full((ROWS, N_OUTPUTS), float(N_INPUTS)))


@pytest.mark.parametrize(
    "weight_OI",
    [
        pytest.param(tall(torch.bfloat16), id="bfloat16"),
        pytest.param(tall().T, id="wide, and not contiguous"),
        pytest.param(tall().T.contiguous(), id="wide"),
        pytest.param(torch.ones((TALL - 1) * 1024, 1024), id="hardly tall"),
        pytest.param(torch.ones(4096, 128), id="small"),
        pytest.param(torch.ones(N_OUTPUTS, N_INPUTS, device="meta"), id="of another device"),
    ],
)
def test_no_other_matrices(weight_OI: Tensor) -> None:
    assert not is_tall(weight_OI)
    x_NI = torch.ones(ROWS, weight_OI.shape[1], dtype=weight_OI.dtype, device=weight_OI.device)
    with Seen() as seen:
        linear(x_NI, weight_OI)
    assert not seen.other


def test_autocast_decides_the_dtype_as_of_any_product() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(torch.ones(ROWS, N_INPUTS), tall()).dtype == torch.bfloat16
