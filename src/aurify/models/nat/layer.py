"""A PEFT LoRA layer whose two adapters, positive and negative, an integration unit joins.

Source: 'Turning Dust into Gold', equations 3 to 5, and its code (docs/methods.md,
"Negative assistant training (NAT)").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor

from aurify.errors import AurifyError
from aurify.models.nat.unit import BOTH, NEG, POS, FixedExtrapolation, IntegrationUnit

AnyUnit = IntegrationUnit | FixedExtrapolation


class DualLoraLinear(LoraLinear):  # type: ignore[misc]  # PEFT has no types
    """Stock PEFT's LoRA layer, but for mode "both", in which the unit joins the adapters "pos" and "neg".

    In any other mode, and where adapters are disabled, PEFT's own forward runs: mode "neg" is a plain LoRA.
    """

    mode: str = NEG
    watch: Callable[[Tensor], None] | None = None
    """Is given the weights of the negative side, shape (...,), at every forward pass in mode "both"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unit: AnyUnit | None = None

    def use(self, mode: str) -> None:
        """Turn to a mode: "both", or the name of an adapter, which PEFT's ``set_adapter`` makes the active one."""
        self.mode = mode

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The layer's output (..., O) of its input (..., I)."""
        if self.mode != BOTH or self.unit is None or self.disable_adapters:
            plain: Tensor = super().forward(x, *args, **kwargs)
            return plain
        base = self.base_layer(x, *args, **kwargs)
        # As in PEFT, the adapters and the unit work in their own precision, unless products are in a lower one anyway.
        own = x.dtype if torch.is_autocast_enabled(x.device.type) else self.lora_A[POS].weight.dtype
        x = x.to(own)
        pos, neg = self._share(POS, x), self._share(NEG, x)
        if self.watch is not None:
            with torch.no_grad():
                self.watch(self.unit.negative_weight(x, pos, neg))
        joined: Tensor = self.unit(x, base.to(own), pos, neg).to(base.dtype)
        return joined

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        """Merge a plain adapter into the layer.

        Raises:
            AurifyError: in mode "both", where the output is no linear function of the input.
        """
        if self.mode == BOTH:
            raise AurifyError(
                "a NAT model cannot be merged: its unit weighs the adapters at each token; distil it with "
                "aurify distill nce, whose LoRA can be"
            )
        super().merge(safe_merge, adapter_names)

    def _share(self, adapter: str, x: Tensor) -> Tensor:
        """d = scale B A x, the adapter's own share of its output."""
        share: Tensor = self.lora_B[adapter](self.lora_A[adapter](self.lora_dropout[adapter](x)))
        return share * float(self.scaling[adapter])
