"""A NAT model on disk: two stock PEFT adapters, the unit beside them, all of it safetensors.

nat.json                       the base model's name, and the form of the unit
unit.safetensors
neg/, pos/                     each a LoRA that PEFT alone loads
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.models.nat.model import NatConfig, add_nat, set_mode
from aurify.models.nat.unit import BOTH, NEG, POS, UNITS
from aurify.models.untrusted import reading
from aurify.parsing import parse_json

MARK = "nat.json"
NAT_VERSION = 1


def is_nat(folder: str | Path) -> bool:
    """Whether a NAT model lies in this folder."""
    return (Path(folder) / MARK).is_file()


def save_nat(model: Any, folder: Path, config: NatConfig, *, base: str) -> None:
    """Write the model into a folder that is there."""
    model.save_pretrained(str(folder), selected_adapters=[NEG, POS])
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's own, an empty form
    save_file(_unit_weights(model), folder / "unit.safetensors")
    content = {"version": NAT_VERSION, "base": base, **asdict(config)}
    (folder / MARK).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def save_adapter(model: Any, folder: Path, adapter: str) -> None:
    """Write one LoRA of the model into a folder that is there, as PEFT, vLLM and merging expect it."""
    model.save_pretrained(str(folder), selected_adapters=[adapter])
    (folder / "README.md").unlink(missing_ok=True)
    if (own := folder / adapter).is_dir():  # PEFT's place for an adapter that is not named "default"
        for file in own.iterdir():
            file.rename(folder / file.name)
        shutil.rmtree(own)


def read_config(folder: str | Path) -> tuple[str, NatConfig]:
    """The base model's name and the form of the unit.

    Raises:
        AurifyError: the file is damaged, or written by a newer version.
    """
    file = Path(folder) / MARK
    try:
        content = parse_json(file.read_text(encoding="utf-8"))
        version, base = content.pop("version"), content.pop("base")
        config = NatConfig(**{**content, "targets": tuple(content["targets"])})
        if config.unit not in UNITS or not isinstance(base, str):
            raise ValueError(f"unit '{config.unit}' of '{base}'")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AurifyError(f"{file}: not a NAT model's description: {error}") from None
    if version > NAT_VERSION:
        raise AurifyError(f"{file}: written by a newer aurify (version {version}): update aurify")
    return base, config


def load_nat(base_model: Any, folder: str | Path, config: NatConfig) -> Any:
    """Put the adapters and the unit of a folder onto its base model, all at work.

    Raises:
        AurifyError: weights are missing, damaged, or of another base model.
    """
    from peft import set_peft_model_state_dict

    folder = Path(folder)
    model = add_nat(base_model, config)
    with reading(f"{folder}: cannot be loaded"):
        for adapter in (NEG, POS):
            weights = load_file(folder / adapter / "adapter_model.safetensors")
            found = set_peft_model_state_dict(model, weights, adapter_name=adapter)
            if found.unexpected_keys or any(f".{adapter}." in key for key in found.missing_keys):
                raise ValueError(f"the adapter '{adapter}' is of another model")
        weights, own = load_file(folder / "unit.safetensors"), _unit_weights(model)
        if {name: value.shape for name, value in weights.items()} != {name: value.shape for name, value in own.items()}:
            raise ValueError("the unit is of another model")
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(weights[name])
    model.requires_grad_(False)
    set_mode(model, BOTH)
    return model


def _unit_weights(model: Any) -> dict[str, torch.Tensor]:
    """The units' parameters by name, detached but not copied."""
    return {name: value.detach() for name, value in model.named_parameters() if ".unit." in name}
