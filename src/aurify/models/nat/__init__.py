"""NAT models: two LoRA adapters, of right and of wrong rationales, joined at every token by an integration unit."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurify.models.nat.loading import load
    from aurify.models.nat.model import NatConfig, adapters, add_nat, negative_weights, set_mode
    from aurify.models.nat.storage import save_nat

__all__ = ["NatConfig", "adapters", "add_nat", "load", "negative_weights", "save_nat", "set_mode"]

_HOMES = {
    "NatConfig": "model",
    "adapters": "model",
    "add_nat": "model",
    "load": "loading",
    "negative_weights": "model",
    "save_nat": "storage",
    "set_mode": "model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aurify.models.nat' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aurify.models.nat.{_HOMES[name]}"), name)
