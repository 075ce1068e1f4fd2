"""NAT models: two LoRA adapters, of right and of wrong rationales, joined at every token by an integration unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.models.nat.loading import load
    from aurify.models.nat.model import NatConfig, adapters, add_nat, negative_weights, set_mode
    from aurify.models.nat.storage import save_nat

__all__ = ["NatConfig", "adapters", "add_nat", "load", "negative_weights", "save_nat", "set_mode"]

__getattr__ = on_demand(__name__, {**dict.fromkeys(__all__, "model"), "load": "loading", "save_nat": "storage"})
