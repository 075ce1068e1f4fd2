"""The gated MLP of Llama and its kin, silu(gate x) * (up x), in parts that a cache holds.

torch goes through tensors of tokens by the MLP's width five times, and as often in the backward pass, for which it
keeps silu(gate x) as well. Here each part of the rows is finished before the next, what is kept are gate x and up x,
and the numbers are those that torch has. On other devices than a CPU all rows are one part.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

CACHED_NUMBERS = 2**18
"""Numbers of a part of one tensor."""


class _Gated(torch.autograd.Function):
    """silu(gate) * up of tensors (N, I)."""

    @staticmethod
    def forward(ctx: Any, gate_NI: Tensor, up_NI: Tensor) -> Tensor:
        ctx.save_for_backward(gate_NI, up_NI)
        out_NI = torch.empty_like(gate_NI)
        for out, gate, up in zip(*map(_parts, (out_NI, gate_NI, up_NI)), strict=True):
            torch.mul(functional.silu(gate), up, out=out)
        return out_NI

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weight_NI: Tensor) -> tuple[Tensor, Tensor]:
        gate_NI, up_NI = ctx.saved_tensors
        by_gate_NI, by_up_NI = torch.empty_like(gate_NI), torch.empty_like(up_NI)
        tensors = (weight_NI, gate_NI, up_NI, by_gate_NI, by_up_NI)
        for weight, gate, up, by_gate, by_up in zip(*map(_parts, tensors), strict=True):
            torch.mul(weight, functional.silu(gate), out=by_up)
            by_gate.copy_(torch.ops.aten.silu_backward(weight * up, gate))
        return by_gate_NI, by_up_NI


def _parts(x_NI: Tensor) -> tuple[Tensor, ...]:
    rows = max(1, CACHED_NUMBERS // x_NI.shape[1]) if x_NI.device.type == "cpu" else max(1, len(x_NI))
    return torch.split(x_NI, rows)


class GatedMLP(nn.Module):
    """The forward pass that a gated MLP of transformers gets in the place of its own."""

    gate_proj: nn.Module
    up_proj: nn.Module
    down_proj: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output (..., E) of its input (..., E)."""
        gate, up = self.gate_proj(x), self.up_proj(x)
        width = gate.shape[-1]
        flat = gate.reshape(-1, width), up.reshape(-1, width)
        inner: Tensor = _Gated.apply(*flat)  # type: ignore[no-untyped-call]  # torch has no types here
        out: Tensor = self.down_proj(inner.view(gate.shape))
        return out


def lighten_mlps(model: nn.Module) -> None:
    """Give every gated MLP of the model the forward pass of ``GatedMLP``, if that gives what its own gave."""
    alike: dict[type[nn.Module], bool] = {}
    for module in model.modules():
        if _looks_gated(module):
            own: Any = type(module)
            if own not in alike:
                alike[own] = _gives_the_same(module)
            if alike[own]:
                module.__class__ = _lightened(own)


def _looks_gated(module: nn.Module) -> bool:
    from transformers.activations import SiLUActivation

    parts = (getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj"))
    silu = isinstance(getattr(module, "act_fn", None), nn.SiLU | SiLUActivation)
    return silu and not isinstance(module, GatedMLP) and all(isinstance(part, nn.Module) for part in parts)


@torch.no_grad()
def _gives_the_same(module: Any) -> bool:
    """Whether its own forward pass and the other one agree on two tokens."""
    weight = next((p for p in module.parameters() if p.is_floating_point()), None)  # in 4 bits they are bytes
    width = getattr(module.gate_proj, "in_features", None)
    if weight is None or not isinstance(width, int) or weight.device.type == "meta":
        return False
    x = torch.linspace(-1, 1, 2 * width, device=weight.device).view(1, 2, width).to(weight.dtype)
    try:
        return torch.allclose(module(x), GatedMLP.forward(module, x), rtol=0.01)
    except (TypeError, RuntimeError, ValueError):  # it takes, or gives, something else
        return False


@cache
def _lightened(own: Any) -> type[nn.Module]:
    return type(own.__name__, (GatedMLP, own), {"__module__": own.__module__})
