"""A tiny model with both adapters and units whose weights are all drawn, so that every part of it acts.

Every run of tests imports this, and those that need no torch do not wait for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch


def draw_adapters(model: Any, seed: int = 0, scale: float = 0.3) -> None:
    """Random values for every adapter and unit, as if they had been trained."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or ".unit." in name:
                parameter.copy_(scale * torch.randn(parameter.shape, generator=random))


@pytest.fixture(name="draw_adapters")
def _draw_adapters() -> Any:
    return draw_adapters


@pytest.fixture
def base(tiny_model_dir: Path) -> Any:
    from aurify.models import load_model

    return load_model(str(tiny_model_dir))


@pytest.fixture
def nat(base: Any) -> Any:
    """In mode "neg", every weight drawn."""
    from aurify.models.nat import NatConfig, add_nat

    model = add_nat(base.model, NatConfig(rank=2, width=5), seed=3)
    draw_adapters(model)
    return model


@pytest.fixture
def ids() -> torch.Tensor:
    import torch

    return torch.randint(0, 250, (2, 9), generator=torch.Generator().manual_seed(1))
