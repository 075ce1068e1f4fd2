"""NAT on stock PEFT: two LoRA adapters and an integration unit on any causal LM, their modes and their stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from aurify.models.lora import adapting, lora_config, lora_targets
from aurify.models.nat.layer import BOTH, NEG, POS, DualLoraLinear
from aurify.models.nat.unit import FixedExtrapolation, IntegrationUnit

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
    with torch.random.fork_rng(), adapting():
        torch.manual_seed(seed)
        first = lora_config(config.rank, config.alpha, targets)
        first._register_custom_module({nn.Linear: DualLoraLinear, Conv1D: DualLoraLinear})
        tuned = get_peft_model(model, first, adapter_name=NEG)
        tuned.add_adapter(POS, lora_config(config.rank, config.alpha, targets))
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


def begin_negative_stage(model: Any) -> None:
    """Stage 1: the negative adapter alone acts and is trained (equation 3)."""
    set_mode(model, NEG)
    _train(model, (f".{NEG}.",))


def begin_positive_stage(model: Any) -> None:
    """Stage 2: both act; the positive adapter and the unit are trained, the negative adapter stays as it is.

    The unit begins anew here, so the stage starts from the base model's own output (docs/methods.md); not where
    the unit is "fixed": it has nothing to begin, and the stage starts from Wx - d_neg.
    """
    set_mode(model, BOTH)
    for layer in dual_layers(model).values():
        if layer.unit is not None:
            layer.unit.begin()
    _train(model, (f".{POS}.", ".unit."))


def begin_adapter(model: Any, adapter: str) -> None:
    """Only the adapter of this name acts and is trained."""
    set_mode(model, adapter)
    _train(model, (f".{adapter}.",))


def _train(model: Any, parts: Sequence[str]) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(("lora_" in name or ".unit." in name) and any(part in name for part in parts))


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
