"""The product with a matrix laid out beforehand is the product."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from aurify.sampling.fused import packed


@pytest.mark.parametrize("rows", [0, 1, 3, 64, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_equal_bit_for_bit(rows: int, bias: bool) -> None:
    torch.manual_seed(0)
    weight_OI = torch.randn(96, 40).bfloat16()
    bias_O = torch.randn(96).bfloat16() if bias else None
    product = packed.product(weight_OI, bias_O)
    if product is None:
        pytest.skip("this processor or this build of PyTorch has no bfloat16 products of oneDNN")
    inputs = torch.randn(rows, 40).bfloat16()
    for x_NI in (inputs, inputs.T.contiguous().T, torch.zeros_like(inputs)):
        expected = functional.linear(x_NI, weight_OI, bias_O)
        found = product(x_NI)
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def test_a_copy_that_later_changes_do_not_reach() -> None:
    weight_OI = torch.ones(8, 16).bfloat16()
    product = packed.product(weight_OI, None)
    if product is None:
        pytest.skip("this processor or this build of PyTorch has no bfloat16 products of oneDNN")
    weight_OI.zero_()
    assert torch.equal(product(torch.ones(1, 16).bfloat16()), torch.full((1, 8), 16.0).bfloat16())


def test_not_for_other_types() -> None:
    assert packed.product(torch.ones(8, 16), None) is None
    assert packed.product(torch.ones(8, 16, device="meta", dtype=torch.bfloat16), None) is None
