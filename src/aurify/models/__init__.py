"""Models: loading, the kinds of tuning, log-probabilities; what sampling, training and evaluation share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.models.load import LoadedModel, load_model
    from aurify.models.tuning import Tuned, prepare, trainable_parameters

__all__ = ["LoadedModel", "Tuned", "load_model", "prepare", "trainable_parameters"]

# What needs no weights, such as the form of a prompt, does not wait for torch.
__getattr__ = on_demand(__name__, {**dict.fromkeys(__all__, "tuning"), "LoadedModel": "load", "load_model": "load"})
