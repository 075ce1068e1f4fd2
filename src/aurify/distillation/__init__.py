"""Distillation: learning from a table of right and wrong rationales, a teacher's or the model's own.

NAT joins an adapter trained on wrong rationales with one trained on right ones; NCE makes a plain LoRA of it;
the baselines learn from the same table. The names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurify.distillation.loading import load
    from aurify.distillation.nat import NatConfig, add_nat, negative_weights, set_mode
    from aurify.distillation.run import run_distillation
    from aurify.distillation.settings import DistillSettings
    from aurify.distillation.storage import save_nat

__all__ = [
    "DistillSettings",
    "NatConfig",
    "add_nat",
    "load",
    "negative_weights",
    "run_distillation",
    "save_nat",
    "set_mode",
]

_HOMES = {
    "DistillSettings": "settings",
    "NatConfig": "nat",
    "add_nat": "nat",
    "load": "loading",
    "negative_weights": "nat",
    "run_distillation": "run",
    "save_nat": "storage",
    "set_mode": "nat",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aurify.distillation' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aurify.distillation.{_HOMES[name]}"), name)
