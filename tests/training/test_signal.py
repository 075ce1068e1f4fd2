"""The share of a gradient that is signal."""

from __future__ import annotations

import pytest
import torch

from aurify.training.signal import COORDINATES, GradientSignal


def parameters(*gradients):
    found = []
    for gradient in gradients:
        parameter = torch.nn.Parameter(torch.zeros_like(gradient))
        parameter.grad = gradient
        found.append(parameter)
    return found


@pytest.mark.parametrize("size", [1000, 20 * COORDINATES])
@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_the_mean_cosine_is_the_share_of_power_that_is_signal(size, signal):
    """Signal and noise of equal power: a half; noise alone: nothing."""
    random = torch.Generator().manual_seed(0)
    mean = signal * torch.randn(size, generator=random)
    watched, found = GradientSignal(), []
    for _ in range(12):
        found.append(watched.cosine(parameters(mean + torch.randn(size, generator=random))))
    assert found[0] is None
    assert sum(found[1:]) / 11 == pytest.approx(0.5 * signal, abs=0.03)


def test_parameters_without_a_gradient_count_as_nothing():
    watched = GradientSignal()
    with_none = [*parameters(torch.tensor([3.0, 4.0])), torch.nn.Parameter(torch.ones(2))]
    assert watched.cosine(with_none) is None
    assert watched.cosine(parameters(torch.tensor([4.0, 3.0]), torch.tensor([0.0, 0.0]))) == pytest.approx(24 / 25)
    assert watched.cosine(parameters(torch.zeros(4))) is None, "a gradient of 0 has no direction"


def test_it_goes_on_from_its_state():
    one, other = GradientSignal(), GradientSignal()
    one.cosine(parameters(torch.tensor([1.0, 0.0])))
    other.restore(one.state())
    again = parameters(torch.tensor([1.0, 1.0]))
    assert other.cosine(again) == one.cosine(again) == pytest.approx(0.5**0.5)
    other.restore(b"")
    assert other.cosine(again) is None


@pytest.mark.parametrize(
    ("state", "reason"), [(b"abc", "multiple of"), (torch.tensor([float("nan")]).numpy().tobytes(), "not finite")]
)
def test_a_damaged_state_is_refused(state, reason):
    with pytest.raises(ValueError, match=reason):
        GradientSignal().restore(state)
