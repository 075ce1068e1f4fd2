"""Products in bfloat16, as autocast makes them, where a run is to compute so."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import nn


def products_in_bfloat16(model: nn.Module, enabled: bool) -> AbstractContextManager[object]:
    """A block in which the model's products are in bfloat16, on its own device; where not ``enabled``, as they were."""
    return torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=enabled)
