"""Linear layers as matrices: LoRA folded in, a NAT unit as rows beside those of its layer, several joined to one.

All that a NAT layer takes of its input x is linear in it but the unit's own steps (see ``models.nat.unit``), so with
D_j = W + scale B_j A_j, the matrix of the layer with adapter j alone, one product gives everything at once:

    Wx,  W_Q x,  W_K (D_neg - D_pos) x,  W_1 D_pos x,  W_1 D_neg x          (bottleneck; W_2 follows)
    W_V Wx,  W_Q x,  W_K (D_neg - D_pos) x,  W_V (D_pos - W) x,  W_V (D_neg - W) x          (linear)

A plain LoRA is folded in, W + scale B A, where the product is float32. Below, the sum would be rounded to the steps of
W, which an adapter's share is often smaller than: its rows scale A then stand beside those of W, and B follows.

Shapes: N tokens, I inputs, O outputs of a layer, S rows of a unit, V values of one of its sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from aurify.models.nat.unit import BOTH, NEG, POS, IntegrationUnit
from aurify.models.products import linear
from aurify.sampling.fused import packed

if TYPE_CHECKING:
    from aurify.models.nat.layer import DualLoraLinear

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

    def mixing(self, dtype: torch.dtype) -> Mix:
        """The mix, with its matrix in this dtype."""
        return self.mix if self.mix.up_OV is None else replace(self.mix, up_OV=self.mix.up_OV.detach().to(dtype))

    def reordered(self, order: Reorder) -> Unit:
        """With the layer's outputs in another order."""
        if self.mix.up_OV is not None:
            return replace(self, mix=replace(self.mix, up_OV=order(self.mix.up_OV)))
        return replace(self, pos_VI=order(self.pos_VI), neg_VI=order(self.neg_VI))


@dataclass(frozen=True)
class LowRank:
    """LoRA beside its layer's matrix: rows scale A of the input, and B, which takes them to the layer's outputs."""

    down_SI: Tensor
    up_OS: Tensor

    def rows(self) -> Tensor:
        """scale A."""
        return self.down_SI

    def bias(self) -> None:
        """There is none."""

    def mixing(self, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
        """B, in this dtype."""
        up_OS = self.up_OS.detach().to(dtype)
        return lambda rows_NS: functional.linear(rows_NS, up_OS)

    def reordered(self, order: Reorder) -> LowRank:
        """With the layer's outputs in another order."""
        return replace(self, up_OS=order(self.up_OS))


@dataclass(frozen=True)
class Matrix:
    """A layer's matrix, its bias, and what stands beside it: a NAT unit, a LoRA that is not folded in, or nothing."""

    weight_OI: Tensor
    bias_O: Tensor | None
    unit: Unit | LowRank | None = None

    def reordered(self, order: Reorder) -> Matrix:
        """With its outputs in another order."""
        return Matrix(
            order(self.weight_OI),
            None if self.bias_O is None else order(self.bias_O),
            None if self.unit is None else self.unit.reordered(order),
        )


class Joined:
    """Layers with one input as one product; their outputs stand side by side."""

    def __init__(self, parts: Sequence[Matrix], scale_I: Tensor | None, dtype: torch.dtype) -> None:
        """Of these layers, whose input is first multiplied by ``scale_I``; in ``dtype``."""
        rows, biases = [part.weight_OI for part in parts], [part.bias_O for part in parts]
        self.mixes: list[tuple[slice, Callable[[Tensor], Tensor]]] = []
        """The outputs of the layers that have a unit, and what it adds to them."""
        end = 0
        for part in parts:
            begin, end = end, end + len(part.weight_OI)
            if part.unit is not None:
                rows.append(part.unit.rows())
                biases.append(part.unit.bias())
                self.mixes.append((slice(begin, end), part.unit.mixing(dtype)))
        self.sizes = [end, *map(len, rows[len(parts) :])]
        rows = [row.detach().to(dtype) for row in rows]
        weight_OI = torch.cat(rows) if len(rows) > 1 else rows[0]
        if scale_I is not None:
            weight_OI = weight_OI * scale_I.detach()
        self.bias_O = None
        if any(bias is not None for bias in biases):
            filled = [row.new_zeros(len(row)) if bias is None else bias for row, bias in zip(rows, biases, strict=True)]
            self.bias_O = torch.cat(filled).detach().to(dtype)
        self.n_bytes = weight_OI.nbytes
        """Of its matrix, however that is laid out."""
        laid_out = packed.product(weight_OI, self.bias_O)
        self.product: packed.Product = laid_out or partial(linear, weight_OI=weight_OI, bias_O=self.bias_O)
        self.weight_OI = weight_OI if laid_out is None else None  # for ``add_to``

    def __call__(self, x_NI: Tensor) -> Tensor:
        """The outputs (N, O)."""
        all_rows = self.product(x_NI)
        if not self.mixes:
            return all_rows
        y_NO, *units = torch.split(all_rows, self.sizes, 1)
        for (outputs, mix), rows_NS in zip(self.mixes, units, strict=True):
            y_NO[:, outputs] += mix(rows_NS)
        return y_NO

    def add_to(self, x_NO: Tensor, inner_NI: Tensor) -> Tensor:
        """x + the outputs, in x's dtype; without units, and of one dtype, the sum and the product are one call."""
        if self.mixes or self.weight_OI is None or x_NO.dtype != self.weight_OI.dtype:
            return x_NO + self(inner_NI)
        out_NO = torch.addmm(x_NO, inner_NI, self.weight_OI.t())
        return out_NO if self.bias_O is None else out_NO + self.bias_O


def matrix_of(module: Any, fold: bool) -> Matrix:
    """What a linear layer applies, with its active adapters: folded in (``fold``), or beside it.

    Raises:
        OtherForm: it is of a kind that this path does not know.
    """
    if type(module) is nn.Linear:
        return Matrix(module.weight, module.bias)
    from peft.tuners.lora import Linear as LoraLinear  # takes a second or two, and a plain model needs none

    from aurify.models.lora_layer import PlainLoraLinear
    from aurify.models.nat.layer import DualLoraLinear

    base = getattr(module, "base_layer", None)
    if type(module) not in (LoraLinear, PlainLoraLinear, DualLoraLinear) or type(base) is not nn.Linear:
        raise OtherForm
    if type(module) is DualLoraLinear and module.mode == BOTH and not module.disable_adapters:
        return _nat(module, base)
    weight_OI: Tensor = base.weight
    names = [] if module.disable_adapters or module.merged else list(_plain_adapters(module))
    if names and not fold:
        down_SI = torch.cat([module.lora_A[name].weight * module.scaling[name] for name in names])
        up_OS = torch.cat([module.lora_B[name].weight for name in names], 1)
        return Matrix(weight_OI, base.bias, LowRank(down_SI, up_OS))
    for name in names:
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
