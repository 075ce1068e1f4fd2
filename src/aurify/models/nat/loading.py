"""``aurify.load``: any model that aurify makes, NAT models in any of their modes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aurify.errors import UsageError, nearest
from aurify.models.load import LoadedModel, load_model, resolve_name
from aurify.models.nat.unit import BOTH, NEG, POS

if TYPE_CHECKING:
    import torch

MODES = (BOTH, POS, NEG)


def load(
    name: str | os.PathLike[str],
    *,
    mode: str = BOTH,
    dtype: str = "float32",
    device: str | torch.device = "cpu",
    trainable: bool = False,
) -> LoadedModel:
    """Load a model folder, an adapter folder, a hub name, "nugget", or a NAT model.

    Args:
        name: what ``--model`` takes.
        mode: of a NAT model: "both" (with the unit), or one of its adapters alone, "pos" or "neg".
        dtype: "float32", "bfloat16" or "float16".
        device: where the weights go.
        trainable: whether a loaded adapter is to be trained further; a NAT model's parameters are frozen.

    Raises:
        UsageError: an unknown mode, or a mode for a model that is no NAT model.
        AurifyError: there is no such model, or its files cannot be read.
    """
    from aurify.models.nat.model import set_mode
    from aurify.models.nat.storage import is_nat

    name = os.fspath(name)
    if mode not in MODES:
        raise UsageError(f"unknown mode '{mode}': {nearest(mode, MODES)}")
    nat = is_nat(resolve_name(name))
    if mode != BOTH and not nat:
        raise UsageError(f"{name}: not a NAT model, so it has no mode '{mode}'")
    loaded = load_model(name, dtype=dtype, device=device, trainable=trainable)
    if nat:
        set_mode(loaded.model, mode)
    return loaded
