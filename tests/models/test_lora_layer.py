"""The plain LoRA layer is PEFT's own, in fewer passes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from aurify.errors import UsageError
from aurify.models.lora import adapting
from aurify.models.lora_layer import PlainLoraLinear, lighten_adapters


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(12, 20), nn.Linear(20, 6, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(torch.tanh(self.first(x)))
        return out


def adapted(**more: Any) -> tuple[Any, Any]:
    """The same adapted model twice: as PEFT made it, and lightened."""
    torch.manual_seed(0)
    config = LoraConfig(**{"r": 3, "lora_alpha": 5, "target_modules": ["first", "second"]} | more)
    stock = get_peft_model(Small(), config)  # type: ignore[arg-type]
    for name, value in stock.named_parameters():
        if "lora_" in name:
            nn.init.normal_(value, std=0.5)
    ours = copy.deepcopy(stock)
    lighten_adapters(ours)
    assert {type(m) for m in ours.modules() if hasattr(m, "lora_A")} == {PlainLoraLinear}
    return stock, ours


def outcome(model: Any, x: torch.Tensor, *, bf16: bool = False) -> list[torch.Tensor]:
    """Output and all gradients."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = model(x)
    (out.float() ** 2).sum().backward()
    return [out, x.grad, *(p.grad for _, p in sorted(model.named_parameters()) if p.requires_grad)]  # type: ignore[list-item]


@pytest.mark.parametrize("shape", [(4, 12), (2, 5, 12)])
def test_output_and_gradients_are_those_of_peft(shape: tuple[int, ...]) -> None:
    stock, ours = adapted()
    x = torch.randn(shape)
    for found, wanted in zip(outcome(ours, x), outcome(stock, x), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


def test_in_bfloat16_it_rounds_no_more_than_peft() -> None:
    stock, ours = adapted()
    x = torch.randn(64, 12)
    exact = outcome(stock, x)
    ours_off, stock_off = 0.0, 0.0
    for right, found, wanted in zip(exact, outcome(ours, x, bf16=True), outcome(stock, x, bf16=True), strict=True):
        assert found.dtype == wanted.dtype
        ours_off += float((found - right).norm().detach() / right.norm())
        stock_off += float((wanted - right).norm().detach() / right.norm())
    assert 0 < ours_off < 1.2 * stock_off < 0.2


def test_a_base_in_bfloat16_without_autocast() -> None:
    stock, ours = adapted()
    for model in (stock, ours):
        for module in model.modules():
            if hasattr(module, "base_layer"):
                module.base_layer.bfloat16()
    x = torch.randn(64, 12).bfloat16()
    found, wanted = outcome(ours, x), outcome(stock, x)
    for one, other in zip(found, wanted, strict=True):
        assert torch.equal(one, other), "PEFT's own: the adapters work in float32"


@pytest.mark.parametrize("more", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_what_is_no_plain_adapter_runs_as_peft_has_it(more: dict[str, Any]) -> None:
    stock, ours = adapted(**more)
    x = torch.randn(7, 12)
    torch.manual_seed(1)
    wanted = stock(x)
    torch.manual_seed(1)
    assert torch.equal(ours(x), wanted)


def test_disabled_merged_and_several_adapters_are_peft_s_own() -> None:
    stock, ours = adapted()
    x = torch.randn(7, 12)
    with stock.disable_adapter(), ours.disable_adapter():
        assert torch.equal(ours(x), stock(x))
    for model in (stock, ours):
        model.base_model.merge_adapter()
    assert torch.equal(ours(x), stock(x))
    for model in (stock, ours):
        model.base_model.unmerge_adapter()
        torch.manual_seed(3)
        model.add_adapter("second", LoraConfig(r=2, target_modules=["first"], init_lora_weights=False))
        model.base_model.set_adapter(["default", "second"])
    assert torch.equal(ours(x), stock(x))


def test_what_peft_refuses_names_the_option_that_asked_for_it():
    nowhere = LoraConfig(r=3, target_modules=["third"])
    for option, words in {"--lora-targets": (), "--tuning prompt": ("--tuning prompt",)}.items():
        with pytest.raises(UsageError, match=f"^{option}: .*third"), adapting(0, *words):
            get_peft_model(Small(), nowhere)  # type: ignore[arg-type]
