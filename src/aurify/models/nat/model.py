"""NAT on stock PEFT: two LoRA adapters and an integration unit on any causal LM, their modes and their stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from aurify.models.lora import adapting, lora_config, lora_targets
from aurify.models.nat.layer import DualLoraLinear
from aurify.models.nat.unit import BOTH, NEG, POS, FixedExtrapolation, IntegrationUnit

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BASE = "base"
"""The mode in which no adapter acts."""


@dataclass(frozen=True)
class NatConfig:
    """The form of a NAT model; the defaults are the paper's."""

    rank: int = 8
    alpha: int = 16
    targets: tuple[str, ...] = ()
    """Names of the linear layers [the attention's queries and values]"""
    width: int = 128
    unit: str = "bottleneck"
    """bottleneck, linear or fixed; see ``unit.py``"""
    offset: bool = True


def add_nat(model: PreTrainedModel, config: NatConfig, *, seed: int = 0) -> Any:
    """The model with both adapters and the unit in its layers, as a PEFT model in mode "neg".

    Args:
        model: any causal LM of transformers; its own weights are frozen.
        seed: of the adapters' and the unit's first values.

    Raises:
        UsageError: there is no linear layer of the names that ``config.targets`` gives.
    """
    from peft import get_peft_model
    from transformers.pytorch_utils import Conv1D

    targets = lora_targets(model, config.targets)
    with adapting(seed):
        first = lora_config(model, config.rank, config.alpha, targets)
        first._register_custom_module({nn.Linear: DualLoraLinear, Conv1D: DualLoraLinear})
        tuned = get_peft_model(model, first, adapter_name=NEG)
        tuned.add_adapter(POS, lora_config(model, config.rank, config.alpha, targets))
        for layer in dual_layers(tuned).values():
            layer.unit = _unit(layer, config)
    set_mode(tuned, NEG)
    return tuned


def _unit(layer: DualLoraLinear, config: NatConfig) -> IntegrationUnit | FixedExtrapolation:
    if config.unit == "fixed":
        return FixedExtrapolation()
    unit = IntegrationUnit(
        layer.in_features, layer.out_features, width=config.width, value=config.unit, offset=config.offset
    )
    return unit.to(layer.lora_A[NEG].weight)


def dual_layers(model: nn.Module) -> dict[str, DualLoraLinear]:
    """The layers that hold both adapters, by name, first to last."""
    return {name: module for name, module in model.named_modules() if isinstance(module, DualLoraLinear)}


def set_mode(model: Any, mode: str) -> None:
    """Which adapters of a PEFT model act: "both", joined by the unit, one by its name ("neg", "pos"), or "base".

    What is trained is not changed.
    """
    trained = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    for layer in dual_layers(model).values():
        layer.use(mode)
    if mode == BASE:
        model.base_model.disable_adapter_layers()
    else:
        model.base_model.enable_adapter_layers()
        model.set_adapter(POS if mode == BOTH else mode)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(trained[name])


def mode_of(model: Any) -> str:
    """Which adapters of a PEFT model act, in the words of ``set_mode``."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layer = next(module for module in model.modules() if isinstance(module, BaseTunerLayer))
    if layer.disable_adapters:
        return BASE
    return layer.mode if isinstance(layer, DualLoraLinear) else str(model.active_adapter)


@contextmanager
def adapters(model: Any, mode: str) -> Iterator[None]:
    """Inside the block the adapters of this mode act (see ``set_mode``); after it, those that did before."""
    before = mode_of(model)
    if before != mode:
        set_mode(model, mode)
    try:
        yield
    finally:
        if before != mode:
            set_mode(model, before)


def train_only(model: Any, parts: Sequence[str]) -> None:
    """Make those parameters of adapters and units trainable whose names hold one of these parts, and no others."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_part(name, parts))


def is_part(name: str, parts: Sequence[str]) -> bool:
    """Whether a parameter is an adapter's or a unit's, and its name holds one of these parts."""
    return ("lora_" in name or ".unit." in name) and any(part in name for part in parts)


NEGATIVE_STAGE = (f".{NEG}.",)
"""What stage 1 trains, in mode "neg": the negative adapter alone (equation 3)."""
POSITIVE_STAGE = (f".{POS}.", ".unit.")
"""What stage 2 trains, in mode "both": the positive adapter and the unit; the negative adapter stays as it is."""


def begin_units(model: Any) -> None:
    """Let the units begin again, so that stage 2 starts from the base model's own output (docs/methods.md).

    Not where they are "fixed": these have nothing to begin, and the stage starts from Wx - d_neg.
    """
    for layer in dual_layers(model).values():
        if layer.unit is not None:
            layer.unit.begin()


@torch.no_grad()
def shuffle_negatives(model: Any, seed: int) -> None:
    """Shuffle the entries of the negative adapter's B in each layer, so that its share is as large and knows nothing.

    A control for an ablation: an adapter that was not trained has B = 0, and nothing in it to shuffle.
    """
    for index, layer in enumerate(dual_layers(model).values()):
        weight = layer.lora_B[NEG].weight
        order = torch.randperm(weight.numel(), generator=torch.Generator().manual_seed(seed + index))
        weight.copy_(weight.flatten()[order.to(weight.device)].view_as(weight))


@contextmanager
def negative_weights(model: Any) -> Iterator[dict[str, list[Tensor]]]:
    """The unit's weights on the negative side, by layer, one tensor (B, T) a forward pass made inside the block."""
    seen: dict[str, list[Tensor]] = {name: [] for name in dual_layers(model)}
    for name, layer in dual_layers(model).items():
        layer.watch = seen[name].append
    try:
        yield seen
    finally:
        for layer in dual_layers(model).values():
            layer.watch = None
