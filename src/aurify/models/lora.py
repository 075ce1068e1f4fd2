"""Plain LoRA students: what is adapted where nothing else is said, and the control with as many parameters as NAT."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from aurify.errors import UsageError
from aurify.models.beside_text import layers_beside_text
from aurify.text import first_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = "default"
"""PEFT's name for the one adapter of a folder."""

QUERY_AND_VALUE = ("q_proj", "v_proj")


def lora_targets(model: nn.Module, named: Sequence[str]) -> list[str]:
    """The layers to adapt: those named, else the attention's queries and values, as in the paper.

    Models that name these otherwise (GPT-2's are one layer, ``c_attn``) are looked up in PEFT's own list.

    Raises:
        UsageError: none is named, and none is known for this model.
    """
    if named:
        return list(named)
    leaves = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    for usual in (QUERY_AND_VALUE, ("qkv_proj",)):  # Phi-3's are one layer
        if leaves.issuperset(usual):
            return list(usual)
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    kind = getattr(getattr(model, "config", None), "model_type", "")
    if known := [name for name in KNOWN.get(kind, ()) if name in leaves]:
        return known
    raise UsageError(f"no layers q_proj and v_proj in a model of type '{kind}': name its layers with --lora-targets")


def lora_config(model: Any, rank: int, alpha: int, targets: Sequence[str], **more: Any) -> Any:
    """A plain LoRA without dropout, since the models stay in evaluation mode."""
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM", r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=list(targets),
        exclude_modules=layers_beside_text(model) or None, **more,
    )  # fmt: skip


def order_adapters(folder: Path) -> None:
    """Sort the lists of names in every adapter configuration under a folder: PEFT keeps sets, in an order of chance."""
    for file in folder.rglob("adapter_config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        for name in ("target_modules", "exclude_modules", "modules_to_save"):
            if isinstance(config.get(name), list):
                config[name] = sorted(config[name])
        file.write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


@contextmanager
def adapting(seed: int, option: str = "--lora-targets") -> Iterator[None]:
    """New layers are made inside, their first values drawn from this seed; all other draws are as they were without it.

    PEFT's complaint, say of layers that are not there or not linear, becomes one line that names the ``option`` by
    which they were asked for; its use of old names is unsaid.

    First values are drawn on the host and moved, so no device's generator is asked for: ``torch.random.fork_rng`` by
    itself asks for every device's, and each process would hold memory on every GPU of its machine.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except ValueError as error:
        raise UsageError(f"{option}: {first_line(error)}") from None
    finally:
        torch.set_rng_state(before)


def add_lora(
    model: Any,
    *,
    rank: int,
    alpha: int,
    targets: Sequence[str] = (),
    seed: int = 0,
    adapter: str = ADAPTER,
    ranks: Mapping[str, int] | None = None,
) -> Any:
    """The model as a PEFT model with one more plain LoRA of this name.

    Args:
        ranks: of single layers, by their full names, in the place of ``rank``; their scale stays alpha / rank.

    Raises:
        UsageError: there is no linear layer of the names that ``targets`` gives.
    """
    from peft import PeftModel, get_peft_model

    from aurify.models.lighter import lighten

    more: dict[str, Any] = {}
    if ranks:
        more["rank_pattern"] = {re.escape(name): own for name, own in ranks.items()}
        more["alpha_pattern"] = {re.escape(name): alpha * own / rank for name, own in ranks.items()}
    wrapped = isinstance(model, PeftModel)
    base = model.get_base_model() if wrapped else model
    config = lora_config(base, rank, alpha, lora_targets(base, targets), **more)
    with adapting(seed):
        if not wrapped:
            model = get_peft_model(model, config, adapter_name=adapter)
        else:
            model.add_adapter(adapter, config)
    lighten(model)
    return model


def equal_ranks(model: PreTrainedModel, targets: Sequence[str], *, rank: int, width: int) -> dict[str, int]:
    """The rank, by layer, at which a plain LoRA has as many parameters as NAT trains in its second stage.

    For a layer of I inputs and O outputs these are rank (I + O) for the adapter and width (I + 3 O) for the unit, so
    the rank is rank + width (I + 3 O) / (I + O), rounded.
    """
    names = set(lora_targets(model, targets))
    found = {}
    for name, module in model.named_modules():
        if name.rpartition(".")[2] not in names:
            continue
        if isinstance(module, nn.Linear):
            inputs, outputs = module.in_features, module.out_features
        else:  # GPT-2's Conv1D holds its weight as (inputs, outputs)
            inputs, outputs = module.weight.shape
        found[name] = rank + round(width * (inputs + 3 * outputs) / (inputs + outputs))
    return found
