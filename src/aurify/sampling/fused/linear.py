"""Linear layers as matrices: LoRA folded in, a NAT unit as rows beside those of its layer, several joined to one.

All that a NAT layer takes of its input x is linear in it but the unit's own steps (see ``models.nat.unit``), so with
D_j = W + scale B_j A_j, the matrix of the layer with adapter j alone, one product gives everything at once:

    Wx,  W_Q x,  W_K (D_neg - D_pos) x,  W_1 D_pos x,  W_1 D_neg x          (bottleneck; W_2 follows)
    W_V Wx,  W_Q x,  W_K (D_neg - D_pos) x,  W_V (D_pos - W) x,  W_V (D_neg - W) x          (linear)

Shapes: N tokens, I inputs, O outputs of a layer, S rows of a unit, V values of one of its sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from aurify.models.nat.layer import BOTH, NEG, POS, DualLoraLinear
from aurify.models.nat.unit import IntegrationUnit

Reorder = Callable[[Tensor], Tensor]
"""Of the outputs, which are the first dimension."""


class OtherForm(Exception):
    """A layer that is no matrix, as far as this path knows."""


@dataclass(frozen=True)
class Mix:
    """How a NAT unit joins the values of its two sides at each token."""

    width: int
    """Of the query and of the key."""
    up_OV: Tensor | None
    """Applied to the GELU of the values; without it the values are the output's own."""
    offset: bool

    def __call__(self, rows_NS: Tensor) -> Tensor:
        """What is added to the layer's output (N, O), from the query, the key, and the values of both sides."""
        n_values = (rows_NS.shape[1] - 2 * self.width) // 2
        query, key, pos_NV, neg_NV = torch.split(rows_NS, [self.width, self.width, n_values, n_values], 1)
        weight_N1 = (query * key).sum(-1, keepdim=True).sigmoid()
        if self.offset:
            weight_N1 = weight_N1 - 0.5
        if self.up_OV is None:
            return torch.lerp(pos_NV, neg_NV, weight_N1)
        gelu = functional.gelu
        return functional.linear(torch.lerp(gelu(pos_NV), gelu(neg_NV), weight_N1), self.up_OV)


@dataclass(frozen=True)
class Unit:
    """The rows of a NAT unit: query and key, and each side's values with their common bias."""

    score_SI: Tensor
    pos_VI: Tensor
    neg_VI: Tensor
    bias_V: Tensor | None
    mix: Mix

    def rows(self) -> Tensor:
        """All of them."""
        return torch.cat([self.score_SI, self.pos_VI, self.neg_VI])

    def bias(self) -> Tensor | None:
        """Of all rows."""
        if self.bias_V is None:
            return None
        return torch.cat([self.bias_V.new_zeros(len(self.score_SI)), self.bias_V, self.bias_V])

    def reordered(self, order: Reorder) -> Unit:
        """With the layer's outputs in another order."""
        if self.mix.up_OV is not None:
            return replace(self, mix=replace(self.mix, up_OV=order(self.mix.up_OV)))
        return replace(self, pos_VI=order(self.pos_VI), neg_VI=order(self.neg_VI))


@dataclass(frozen=True)
class Matrix:
    """A layer's matrix, its bias, and its unit where it has one."""

    weight_OI: Tensor
    bias_O: Tensor | None
    unit: Unit | None = None

    def reordered(self, order: Reorder) -> Matrix:
        """With its outputs in another order."""
        return Matrix(
            order(self.weight_OI),
            None if self.bias_O is None else order(self.bias_O),
            None if self.unit is None else self.unit.reordered(order),
        )


class Joined:
    """Layers with one input as one product; their outputs stand side by side."""

    def __init__(self, parts: Sequence[Matrix], scale_I: Tensor | None, dtype: torch.dtype | None) -> None:
        """Of these layers, whose input is first multiplied by ``scale_I``; in ``dtype`` [the layers' own]."""
        rows, biases = [part.weight_OI for part in parts], [part.bias_O for part in parts]
        self.mixes: list[tuple[slice, Mix]] = []
        """The outputs of the layers that have a unit."""
        end = 0
        for part in parts:
            begin, end = end, end + len(part.weight_OI)
            if part.unit is not None:
                rows.append(part.unit.rows())
                biases.append(part.unit.bias())
                mix = part.unit.mix
                up_OV = None if mix.up_OV is None else _cast(mix.up_OV, dtype)
                self.mixes.append((slice(begin, end), replace(mix, up_OV=up_OV)))
        self.sizes = [end, *map(len, rows[len(parts) :])]
        weight_OI = torch.cat(rows) if len(rows) > 1 else rows[0]
        self.weight_OI = _cast(weight_OI if scale_I is None else weight_OI * scale_I, dtype)
        self.bias_O = None
        if any(bias is not None for bias in biases):
            filled = [row.new_zeros(len(row)) if bias is None else bias for row, bias in zip(rows, biases, strict=True)]
            self.bias_O = _cast(torch.cat(filled), dtype)

    def __call__(self, x_NI: Tensor) -> Tensor:
        """The outputs (N, O)."""
        all_rows = functional.linear(x_NI, self.weight_OI, self.bias_O)
        if not self.mixes:
            return all_rows
        y_NO, *units = torch.split(all_rows, self.sizes, 1)
        for (outputs, mix), rows_NS in zip(self.mixes, units, strict=True):
            y_NO[:, outputs] += mix(rows_NS)
        return y_NO

    def add_to(self, x_NO: Tensor, inner_NI: Tensor) -> Tensor:
        """x + the outputs; without units the sum and the product are one call."""
        if self.mixes:
            return x_NO + self(inner_NI)
        out_NO = torch.addmm(x_NO, inner_NI, self.weight_OI.t())
        return out_NO if self.bias_O is None else out_NO + self.bias_O


def matrix_of(module: Any) -> Matrix:
    """What a linear layer applies, with its active adapters.

    Raises:
        OtherForm: it is of a kind that this path does not know.
    """
    if type(module) is nn.Linear:
        return Matrix(module.weight, module.bias)
    from peft.tuners.lora import Linear as LoraLinear

    base = getattr(module, "base_layer", None)
    if type(module) not in (LoraLinear, DualLoraLinear) or type(base) is not nn.Linear:
        raise OtherForm
    if type(module) is DualLoraLinear and module.mode == BOTH and not module.disable_adapters:
        return _nat(module, base)
    weight_OI: Tensor = base.weight
    if not module.disable_adapters and not module.merged:
        for name in _plain_adapters(module):
            weight_OI = weight_OI + module.get_delta_weight(name)
    return Matrix(weight_OI, base.bias)


def _plain_adapters(module: Any) -> Iterator[str]:
    for name in module.active_adapters:
        if name not in module.lora_A:
            continue
        if name in getattr(module, "lora_variant", {}) or module.lora_bias.get(name):
            raise OtherForm
        yield name


def _nat(module: DualLoraLinear, base: nn.Linear) -> Matrix:
    own_OI, unit, bias_O = base.weight, module.unit, base.bias
    pos_OI, neg_OI = (module.get_delta_weight(name) for name in (POS, NEG))
    if module.watch is not None or module.merged or pos_OI.dtype != own_OI.dtype:
        raise OtherForm  # somebody looks on, or the adapters work in another precision than the layer
    if not isinstance(unit, IntegrationUnit):
        return Matrix(own_OI + 2 * pos_OI - neg_OI, bias_O)
    score_SI = torch.cat([unit.query.weight, unit.key.weight @ (neg_OI - pos_OI)])
    up_OV, width = unit.up.weight, len(unit.query.weight)
    if unit.down is None:
        mix = Mix(width, None, unit.offset)
        values = Unit(score_SI, up_OV @ pos_OI, up_OV @ neg_OI, None, mix)
        return Matrix(up_OV @ own_OI, None if bias_O is None else up_OV @ bias_O, values)
    down_VO, mix = unit.down.weight, Mix(width, up_OV, unit.offset)
    bias_V = None if bias_O is None else down_VO @ bias_O
    values = Unit(score_SI, down_VO @ (own_OI + pos_OI), down_VO @ (own_OI + neg_OI), bias_V, mix)
    return Matrix(own_OI, bias_O, values)


def _cast(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor.detach() if dtype is None else tensor.detach().to(dtype)
