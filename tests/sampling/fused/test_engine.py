"""The fused path draws what the general path draws, whatever the model, the adapters and the prompts."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from aurify.models.nat import NatConfig, add_nat, set_mode
from aurify.models.nat.model import negative_weights
from aurify.sampling import Completion, LocalSampler, Prompt
from aurify.sampling.fused import FusedEngine

ModelOf = Callable[..., Any]
FUSED = ("llama", "qwen2", "qwen3", "llama+lora", "qwen3+lora", "llama+prompt", "qwen2+prompt")


def prompts_of(n: int, samples: int, beginning: int = 0) -> list[Prompt]:
    """Prompts of 1 to 20 tokens, after ``beginning`` tokens that are the same for all."""
    draw = random.Random(n)
    same = tuple(draw.randrange(2, 24) for _ in range(beginning))
    return [
        Prompt(
            same + tuple(draw.randrange(2, 24) for _ in range(draw.randrange(1, 20))),
            tuple(draw.randrange(2**63) for _ in range(samples)),
        )
        for _ in range(n)
    ]


def both(model: Any, tokenizer: Any, prompts: list[Prompt], **options: Any) -> tuple[list[Completion], ...]:
    drawn = []
    for fused in (True, False):
        sampler = LocalSampler(model, tokenizer, fused=fused, **options)
        assert isinstance(sampler.engine(prompts, 30), FusedEngine) == fused
        drawn.append([c for row in sampler.sample(prompts, max_new_tokens=30) for c in row])
    return tuple(drawn)


def assert_same(fused: list[Completion], general: list[Completion]) -> None:
    assert [c.token_ids for c in fused] == [c.token_ids for c in general]
    assert max(abs(a.logprob - b.logprob) for a, b in zip(fused, general, strict=True)) < 1e-4
    assert len({c.token_ids for c in general}) > len(general) / 3


def nat_of(model: Any, **form: Any) -> Any:
    """The model with NAT's adapters and unit, all of them acting."""
    nat = add_nat(model, NatConfig(rank=4, width=8, **form))
    with torch.no_grad():
        for name, parameter in nat.named_parameters():
            if "lora_" in name or ".unit." in name:
                parameter.normal_(std=0.15)
            elif "bias" in name:
                parameter.normal_(std=0.3)
    set_mode(nat, "both")
    return nat.eval()


EVERY = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj")


@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), EVERY])
@pytest.mark.parametrize(
    ("unit", "offset"), [("bottleneck", True), ("bottleneck", False), ("linear", True), ("fixed", True)]
)
def test_nat_models_are_taken_in_every_mode(
    targets: tuple[str, ...], unit: str, offset: bool, model_of: ModelOf, tokenizer: Any
) -> None:
    model = nat_of(model_of("qwen2"), targets=targets, unit=unit, offset=offset)
    drawn = {}
    for mode in ("both", "pos", "neg", "base"):
        set_mode(model, mode)
        drawn[mode], general = both(model, tokenizer, prompts_of(6, 2))
        assert_same(drawn[mode], general)
    assert len({tuple(c.token_ids for c in drawn[mode]) for mode in drawn}) == 4, "each mode is another model"


def test_a_unit_that_is_watched_takes_the_general_path(model_of: ModelOf, tokenizer: Any) -> None:
    model = nat_of(model_of("llama"))
    with negative_weights(model) as seen:
        LocalSampler(model, tokenizer).sample(prompts_of(1, 1), max_new_tokens=3)
    assert all(seen.values())


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("beginning", [0, 40])
@pytest.mark.parametrize("kind", FUSED)
def test_samples_are_the_general_paths(
    kind: str, beginning: int, samples: int, model_of: ModelOf, tokenizer: Any
) -> None:
    """With refills (5 rows), with bands of several, and with each prompt's rows divided between two refills."""
    model, prompts = model_of(kind), prompts_of(7, samples, beginning)
    for rows in (5, 256):
        assert_same(*both(model, tokenizer, prompts, max_rows=rows))


def test_many_rows_in_several_bands(model_of: ModelOf, tokenizer: Any) -> None:
    assert_same(*both(model_of("qwen3"), tokenizer, prompts_of(90, 2), max_rows=150))


def test_biases_norms_and_scaled_positions_count(model_of: ModelOf, tokenizer: Any) -> None:
    """Weights that are 0 or 1 in a new model are made random; positions are scaled as in Llama 3."""
    import transformers as hf

    rope = {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    torch.manual_seed(0)
    config = hf.LlamaConfig(
        vocab_size=24, eos_token_id=1, pad_token_id=0, bos_token_id=None, hidden_size=32, intermediate_size=48,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1, max_position_embeddings=128,
        attention_bias=True, mlp_bias=True, hidden_act="gelu", rope_parameters=rope,
    )  # fmt: skip
    for model in (hf.LlamaForCausalLM(config).eval(), model_of("qwen2"), model_of("qwen3")):
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "norm" in name or "bias" in name:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
            model.get_output_embeddings().weight.mul_(3)
        assert_same(*both(model, tokenizer, prompts_of(8, 2)))


def test_the_weights_are_those_of_this_moment(model_of: ModelOf, tokenizer: Any) -> None:
    model, prompts = model_of("llama+lora"), prompts_of(6, 2)
    sampler = LocalSampler(model, tokenizer)
    before = [c.token_ids for row in sampler.sample(prompts, max_new_tokens=30) for c in row]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    after = [c.token_ids for row in sampler.sample(prompts, max_new_tokens=30) for c in row]
    general = LocalSampler(model, tokenizer, fused=False).sample(prompts, max_new_tokens=30)
    assert after == [c.token_ids for row in general for c in row] != before


def test_sampling_leaves_the_model_as_it_was(model_of: ModelOf, tokenizer: Any) -> None:
    model = model_of("qwen3+lora")
    before = copy.deepcopy(model.state_dict())
    LocalSampler(model, tokenizer).sample(prompts_of(6, 2), max_new_tokens=10)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_identical_prompts_keep_a_token_of_their_own(model_of: ModelOf, tokenizer: Any) -> None:
    [prompt] = prompts_of(1, 3, 30)
    assert_same(*both(model_of("llama"), tokenizer, [prompt, Prompt(prompt.token_ids, (5, 6, 7))]))


def test_the_cache_widens(model_of: ModelOf, tokenizer: Any) -> None:
    """More new tokens than the columns reserved at first."""
    model, prompts = model_of("llama", sharpness=2.0), prompts_of(3, 2)
    drawn = [
        [c for row in LocalSampler(model, tokenizer, fused=f).sample(prompts, max_new_tokens=100) for c in row]
        for f in (True, False)
    ]
    assert max(len(c.token_ids) for c in drawn[0]) > 70
    assert [c.token_ids for c in drawn[0]] == [c.token_ids for c in drawn[1]]
