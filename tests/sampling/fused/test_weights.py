"""Which models the fused path takes, and that it leaves the others to the general one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from aurify.models.tuning import prepare
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.fused import weights_of
from aurify.sampling.fused.weights import interleaved

ModelOf = Callable[..., Any]


@pytest.mark.parametrize("kind", ["gpt2", "gemma2", "gpt2+lora"])
def test_other_families_are_not_taken(kind: str, model_of: ModelOf) -> None:
    assert weights_of(model_of(kind)) is None


def test_what_a_copy_would_miss_is_not_taken(model_of: ModelOf, tokenizer: Any) -> None:
    import peft

    hooked = model_of("llama")
    hooked.model.layers[1].mlp.register_forward_hook(lambda module, args, out: out * 0)
    dora = peft.get_peft_model(model_of("llama"), peft.LoraConfig(r=2, use_dora=True, target_modules=["q_proj"]))
    dynamic = model_of("llama")
    dynamic.model.rotary_emb.rope_type = "dynamic"
    sliding = model_of("qwen2")
    sliding.config.layer_types = ["full_attention", "sliding_attention"]
    trained_head = peft.get_peft_model(
        model_of("llama"), peft.LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"])
    )
    for model in (hooked, dora, dynamic, sliding, trained_head):
        assert weights_of(model) is None
    assert weights_of(model_of("llama")) is not None
    said: list[str] = []
    sampler = LocalSampler(hooked, tokenizer, say=said.append)
    silent = sampler.sample([Prompt((3, 4), (1,))], max_new_tokens=5)
    sampler.sample([Prompt((3, 4), (1,))], max_new_tokens=5)
    assert said == ["samples are drawn by the model's own forward pass: its form has no faster way here"]
    assert silent == LocalSampler(hooked, tokenizer, fused=False).sample([Prompt((3, 4), (1,))], max_new_tokens=5)


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_a_model_that_is_being_trained_takes_the_fast_path(model_of: ModelOf, tokenizer: Any, kind: Any) -> None:
    said: list[str] = []
    model = prepare(model_of("llama"), tokenizer, kind=kind).model
    LocalSampler(model, tokenizer, say=said.append).sample([Prompt((3, 4), (1,))], max_new_tokens=5)
    assert not said
    assert weights_of(model) is not None


def test_a_model_too_large_to_copy_is_not_taken(model_of: ModelOf) -> None:
    assert weights_of(model_of("llama"), copy_limit=1000) is None


def test_adapters_that_are_off_or_merged_count_once(model_of: ModelOf) -> None:
    model = model_of("llama+lora")
    plain = weights_of(model)
    with model.disable_adapter():
        off = weights_of(model)
    model.merge_adapter()
    merged = weights_of(model)
    assert plain is not None
    assert off is not None
    assert merged is not None
    x_NE = torch.eye(model.config.hidden_size)
    torch.testing.assert_close(merged.layers[0].qkv.product(x_NE), plain.layers[0].qkv.product(x_NE))
    assert not torch.allclose(off.layers[0].qkv.product(x_NE), plain.layers[0].qkv.product(x_NE))


def test_interleaving_pairs_the_halves_of_a_head() -> None:
    rows = torch.arange(12.0)[:, None] * torch.ones(1, 3)
    assert interleaved(rows, 6)[:, 0].tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]
    assert interleaved(torch.arange(4.0), 4).tolist() == [0, 2, 1, 3]
