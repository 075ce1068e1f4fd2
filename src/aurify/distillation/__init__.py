"""Distillation: learning from a table of right and wrong rationales, a teacher's or the model's own.

NAT joins an adapter trained on wrong rationales with one trained on right ones (the model is ``models.nat``); NCE
makes a plain LoRA of it; the baselines learn from the same table. The names below load when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.distillation.run import run_distillation
    from aurify.distillation.settings import DistillSettings

__all__ = ["DistillSettings", "run_distillation"]

__getattr__ = on_demand(__name__, {"DistillSettings": "settings", "run_distillation": "run"})
