from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import gelu

from aurify.errors import UsageError
from aurify.models.nat.unit import FixedExtrapolation, IntegrationUnit


def inputs(seed: int = 0, inside: int = 6, outside: int = 4, scale: float = 1.0) -> list[torch.Tensor]:
    """x, Wx, d_pos and d_neg of two tokens."""
    random = torch.Generator().manual_seed(seed)
    sizes = (inside, outside, outside, outside)
    return [scale * torch.randn(2, size, generator=random, dtype=torch.float64) for size in sizes]


def drawn(seed: int = 0, **options: object) -> IntegrationUnit:
    torch.manual_seed(seed)
    unit = IntegrationUnit(6, 4, width=3, **options).double()  # type: ignore[arg-type]  # of mixed types
    for parameter in unit.parameters():
        torch.nn.init.normal_(parameter)
    return unit


def weights_as_written(unit: IntegrationUnit, x: torch.Tensor, pos: torch.Tensor, neg: torch.Tensor) -> torch.Tensor:
    """(pos, neg) weights (..., 2): a softmax over the two products, then the offset, as the paper's code has it."""
    scores = torch.stack([(unit.query(x) * unit.key(h)).sum(-1) for h in (pos, neg)], -1)
    offset = torch.tensor([0.5, -0.5], dtype=scores.dtype) if unit.offset else torch.zeros(2, dtype=scores.dtype)
    return scores.softmax(-1) + offset


@pytest.mark.parametrize("offset", [True, False])
def test_the_output_is_that_of_the_equations(offset):
    x, base, pos, neg = inputs()
    unit = drawn(offset=offset)
    weights = weights_as_written(unit, x, base + pos, base + neg)
    values = [unit.up(gelu(unit.down(base + share))) for share in (pos, neg)]
    expected = base + weights[:, :1] * values[0] + weights[:, 1:] * values[1]
    torch.testing.assert_close(unit(x, base, pos, neg), expected)

    linear = drawn(value="linear", offset=offset)
    weights = weights_as_written(linear, x, base + pos, base + neg)
    expected = weights[:, :1] * linear.up(base + pos) + weights[:, 1:] * linear.up(base + neg)
    torch.testing.assert_close(linear(x, base, pos, neg), expected)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 2))
def test_weights_sum_to_one_and_the_negative_one_is_within_a_half(seed, scale):
    x, base, pos, neg = inputs(seed, scale=scale)
    unit = drawn(seed)
    weight = unit.negative_weight(x, pos, neg)
    assert bool((weight.abs() <= 0.5).all())
    both = weights_as_written(unit, x, base + pos, base + neg)
    torch.testing.assert_close(both[:, 1], weight)
    torch.testing.assert_close(both.sum(-1), torch.ones(2, dtype=torch.float64))


def test_equal_adapters_have_no_weight_to_share():
    x, _, pos, _ = inputs()
    assert bool((drawn().negative_weight(x, pos, pos) == 0).all())


def test_a_new_unit_leaves_the_layer_as_it_is():
    x, base, pos, neg = inputs()
    assert torch.equal(IntegrationUnit(6, 4).double()(x, base, pos, neg), base)
    linear = IntegrationUnit(6, 4, value="linear").double()
    torch.testing.assert_close(linear(x, base, torch.zeros_like(pos), neg), base)


def test_it_is_reset_whatever_its_weights_are():
    x, base, pos, neg = inputs()
    unit = drawn()
    assert not torch.equal(unit(x, base, pos, neg), base)
    unit.begin()
    assert torch.equal(unit(x, base, pos, neg), base)


@pytest.mark.parametrize("options", [{}, {"value": "linear"}, {"offset": False}])
def test_gradients_are_those_of_finite_differences(options):
    unit = drawn(**options)
    x, base, pos, neg = (value.requires_grad_() for value in inputs())
    torch.autograd.gradcheck(lambda *given: unit(*given), (x, base, pos, neg))

    def of_weights(*weights: torch.Tensor) -> torch.Tensor:
        named = dict(zip(dict(unit.named_parameters()), weights, strict=True))
        return torch.func.functional_call(unit, named, (x, base, pos, neg))

    torch.autograd.gradcheck(of_weights, tuple(unit.parameters()))


def test_fixed_extrapolation():
    x, base, pos, neg = inputs()
    torch.testing.assert_close(FixedExtrapolation()(x, base, pos, neg), base + 2 * pos - neg)


def test_an_unknown_value_is_named():
    with pytest.raises(UsageError, match="bottleneck, linear"):
        IntegrationUnit(6, 4, value="cubic")
