"""The gated MLP in parts gives the numbers of its own forward pass, and of its backward pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from aurify.models import gated_mlp
from aurify.models.gated_mlp import GatedMLP, lighten_mlps


def build(family: str = "Llama", **more: Any) -> Any:
    import transformers as hf

    config = getattr(hf, f"{family}Config")(
        vocab_size=50, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=6, pad_token_id=0, **more,
    )  # fmt: skip
    torch.manual_seed(0)
    return getattr(hf, f"{family}ForCausalLM")(config).eval()


def outcome(model: Any, ids: torch.Tensor) -> list[torch.Tensor]:
    """Logits, and all gradients."""
    model.zero_grad()
    logits = model(ids).logits
    logits.float().logsumexp(-1).sum().backward()
    return [logits, *(p.grad for _, p in sorted(model.named_parameters()) if p.grad is not None)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Qwen3", "Mistral"])
def test_the_numbers_are_torchs_own(family: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated_mlp, "CACHED_NUMBERS", 3 * 20)  # three rows at a time, and one
    stock = build(family).to(dtype)
    ours = copy.deepcopy(stock)
    lighten_mlps(ours)
    assert sum(isinstance(module, GatedMLP) for module in ours.modules()) == 2
    ids = torch.randint(1, 50, (2, 5))
    for found, wanted in zip(outcome(ours, ids), outcome(stock, ids), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5 if dtype == torch.float32 else 0.02, atol=1e-6)


def test_what_is_not_such_an_mlp_keeps_its_own_forward() -> None:
    for other in (build("Gemma"), build("Llama", hidden_act="gelu")):
        lighten_mlps(other)
        assert not any(isinstance(module, GatedMLP) for module in other.modules())

    class Doubled(type(build().model.layers[0].mlp)):  # type: ignore[misc]  # known only when it runs
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)  # type: ignore[no-any-return]

    model = build()
    for layer in model.model.layers:
        layer.mlp.__class__ = Doubled
    lighten_mlps(model)
    assert not any(isinstance(module, GatedMLP) for module in model.modules())


def test_a_copy_is_a_model_of_its_own_and_twice_is_once() -> None:
    model = build()
    lighten_mlps(model)
    own = type(model.model.layers[0].mlp)
    lighten_mlps(model)
    assert type(model.model.layers[0].mlp) is own
    assert own.__name__ == "LlamaMLP"
    other = copy.deepcopy(model)
    nn.init.zeros_(other.model.layers[0].mlp.down_proj.weight)
    x = torch.ones(1, 12)
    assert not other.model.layers[0].mlp(x).any()
    assert model.model.layers[0].mlp(x).any()


def test_no_tokens_at_all_as_an_expert_may_get() -> None:
    model = build()
    lighten_mlps(model)
    x = torch.zeros(0, 12, requires_grad=True)
    model.model.layers[0].mlp(x).sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (0, 12)
