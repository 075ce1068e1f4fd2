"""Models that carry states besides keys and values decode with transformers' cache, row by row."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from aurify.sampling import LocalSampler, Prompt, states
from aurify.sampling.local import engine_of
from aurify.sampling.rerun import RerunEngine
from aurify.sampling.states import StatesEngine, carries_states

COMMON = {"vocab_size": 24, "eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}
BLOCKS = {
    **COMMON, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128,
}  # fmt: skip
LINEAR = {
    "head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 8,
    "linear_value_head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "mamba": ("Mamba", {**COMMON, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}),
    "lfm2": ("Lfm2", {**BLOCKS, "layer_types": ["conv", "full_attention"]}),
    "qwen3-next": ("Qwen3Next", {**BLOCKS, **LINEAR, "layer_types": ["linear_attention", "full_attention"]}),
    "falcon-h1": (
        "FalconH1",
        {**BLOCKS, "mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1},
    ),
    "recurrent gemma": (
        "RecurrentGemma",
        {**BLOCKS, "num_hidden_layers": 3, "lru_width": 32, "attention_window_size": 64},
    ),
    "rwkv": ("Rwkv", {**COMMON, "hidden_size": 32, "attention_hidden_size": 32, "num_hidden_layers": 2}),
}


@pytest.fixture
def build(tokenizer: Any) -> Any:
    def of(name: str) -> Any:
        import transformers as hf

        prefix, own = FAMILIES[name]
        torch.manual_seed(0)
        model = getattr(hf, f"{prefix}ForCausalLM")(getattr(hf, f"{prefix}Config")(**own)).eval()
        with torch.no_grad():
            ids = torch.tensor([[3 + i % 20 for i in range(24)]])
            model.get_output_embeddings().weight.mul_(
                2 / float(model(input_ids=ids, use_cache=False).logits.std(-1).mean())
            )
        return model

    return of


@pytest.mark.parametrize("name", ["mamba", "lfm2", "qwen3-next", "falcon-h1"])
def test_samples_are_the_models_and_those_without_a_cache(
    name: str, build: Any, tokenizer: Any, check_logprobs: Any, monkeypatch: Any
):
    model = build(name)
    assert engine_of(model) is StatesEngine
    prompts = [Prompt(tuple(range(3, 5 + i)), (i, 10 + i, 20 + i)) for i in (0, 1, 2, 1, 3)]
    drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
    flat = [(p.token_ids, one) for p, row in zip(prompts, drawn, strict=True) for one in row]
    assert len({one.token_ids for _, one in flat}) > 5
    check_logprobs(model, flat)
    few = LocalSampler(model, tokenizer, max_rows=4).sample(prompts[::-1], max_new_tokens=12)
    assert [[one.token_ids for one in row] for row in few[::-1]] == [[one.token_ids for one in row] for row in drawn]
    monkeypatch.setattr("aurify.sampling.local.engine_of", lambda model: RerunEngine)
    slow = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
    assert [[one.token_ids for one in row] for row in slow] == [[one.token_ids for one in row] for row in drawn]


def test_greedy_is_generate(build: Any, tokenizer: Any) -> None:
    model, prompt = build("lfm2"), (3, 4, 5, 6)
    [[one]] = LocalSampler(model, tokenizer).sample([Prompt(prompt, (0,))], max_new_tokens=10, temperature=0)
    inputs = torch.tensor([prompt])
    generated = model.generate(inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=10)
    assert list(one.token_ids) == generated[0, 4:].tolist()


@pytest.mark.parametrize("name", ["falcon-h1", "qwen3-next"])
def test_the_trial_is_the_same_whatever_the_dtype_of_the_weights(name: str, build: Any) -> None:
    assert carries_states(build(name).bfloat16())


@pytest.mark.parametrize("name", ["mamba", "lfm2", "qwen3-next", "falcon-h1"])
@pytest.mark.parametrize("weights", [torch.float32, torch.bfloat16])
def test_samples_in_bfloat16_are_nearly_the_models(name: str, weights: torch.dtype, build: Any, tokenizer: Any) -> None:
    model = build(name).to(weights)
    prompts = [Prompt(tuple(range(3, 5 + i)), (i, 10 + i)) for i in (0, 1, 3)]
    drawn = LocalSampler(model, tokenizer, dtype=torch.bfloat16).sample(prompts, max_new_tokens=12)
    exact = model.float()
    for prompt, row in zip(prompts, drawn, strict=True):
        for one in row:
            with torch.no_grad():
                rows = exact(torch.tensor([[*prompt.token_ids, *one.token_ids]])).logits.log_softmax(-1)[0]
            alone = [float(rows[len(prompt.token_ids) - 1 + i, token]) for i, token in enumerate(one.token_ids)]
            assert one.token_logprobs == pytest.approx(alone, abs=0.15)


@pytest.mark.parametrize("lost", ["recurrent_states", "conv_states"])
def test_states_that_get_lost_are_noticed(lost: str, build: Any, monkeypatch: Any) -> None:
    whole = states.StateLayer.hold_states

    def forgets(layer: Any, parts: Any) -> None:
        whole(layer, parts)
        for state in getattr(layer, lost).values():
            state.zero_()

    model = build("qwen3-next")
    with torch.no_grad():
        model.model.layers[0].linear_attn.A_log.fill_(-3)  # trained ones remember; random ones forget at once
    monkeypatch.setattr(states.StateLayer, "hold_states", forgets)
    assert not carries_states(model)
    assert engine_of(model) is RerunEngine


@pytest.mark.parametrize("name", ["recurrent gemma", "rwkv"])
def test_a_model_whose_cache_is_of_another_form_goes_without(name: str, build: Any) -> None:
    assert engine_of(build(name)) is RerunEngine
