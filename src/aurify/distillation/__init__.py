"""Distillation: learning from a table of right and wrong rationales, a teacher's or the model's own.

NAT joins an adapter trained on wrong rationales with one trained on right ones (the model is ``models.nat``); NCE
makes a plain LoRA of it; the baselines learn from the same table. The names below load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurify.distillation.run import run_distillation
    from aurify.distillation.settings import DistillSettings

__all__ = ["DistillSettings", "run_distillation"]

_HOMES = {"DistillSettings": "settings", "run_distillation": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aurify.distillation' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aurify.distillation.{_HOMES[name]}"), name)
