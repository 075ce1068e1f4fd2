"""PEFT's plain LoRA layer with one pass over its output instead of four.

PEFT computes W x + s * B(A x): the product with B, its scaling, and the sum are each a pass over a tensor of the
layer's width, and under autocast the input is cast to the adapter's float32 and back. Here the scale goes onto the
narrow product, and the sum into the base's own output, in place; the backward pass saves the same.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from torch.nn import functional


class PlainLoraLinear(LoraLinear):  # type: ignore[misc]  # PEFT has no types
    """Stock PEFT's LoRA layer, but for the forward pass of one plain adapter."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The layer's output (..., O) of its input (..., I); PEFT's own where there is more to it than one adapter."""
        adapter = self._plain_adapter(x)
        if adapter is None or args or kwargs:
            found: Tensor = super().forward(x, *args, **kwargs)
            return found
        down_RI, up_OR = self.lora_A[adapter].weight, self.lora_B[adapter].weight
        base: Tensor = self.base_layer(x)
        narrow_NR = functional.linear(x, down_RI).view(-1, len(down_RI)).to(base.dtype)
        base.view(-1, len(up_OR)).addmm_(narrow_NR, up_OR.t().to(base.dtype), alpha=self.scaling[adapter])
        return base

    def _plain_adapter(self, x: Tensor) -> str | None:
        """The one adapter that is active, where it is a LoRA without dropout, biases or variants on a linear layer."""
        if (
            self.disable_adapters
            or self.merged
            or len(self.active_adapters) != 1
            or type(self.base_layer) is not nn.Linear
        ):
            return None
        (name,) = self.active_adapters
        if name not in self.lora_A or name in self.lora_variant or self.lora_B[name].bias is not None:
            return None
        same = self.lora_A[name].weight.dtype == self.base_layer.weight.dtype == x.dtype
        mixed = same or torch.is_autocast_enabled(x.device.type)
        return name if mixed and isinstance(self.lora_dropout[name], nn.Identity) else None


def lighten_adapters(model: nn.Module) -> None:
    """Give every stock LoRA layer on a linear layer of the model the forward pass of ``PlainLoraLinear``."""
    for module in model.modules():
        if type(module) is LoraLinear:
            module.__class__ = PlainLoraLinear
