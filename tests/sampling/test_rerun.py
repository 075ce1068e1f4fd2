"""Models without a key-value cache are sampled too: Mamba, convolutions, linear attention."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from aurify.models.logprobs import sequence_logprobs
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.local import reruns

COMMON = {"vocab_size": 24, "eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}
BLOCKS = {
    **COMMON, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128,
}  # fmt: skip


def build(name: str) -> Any:
    import transformers as hf

    torch.manual_seed(0)
    if name == "mamba":
        model: Any = hf.MambaForCausalLM(hf.MambaConfig(**COMMON, hidden_size=16, num_hidden_layers=2, state_size=4))
    elif name == "lfm2":
        model = hf.Lfm2ForCausalLM(hf.Lfm2Config(**BLOCKS, layer_types=["conv", "full_attention"]))
    else:
        config = hf.Qwen3NextConfig(
            **BLOCKS, head_dim=8, layer_types=["linear_attention", "full_attention"], num_experts=4,
            num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=16,
            linear_num_key_heads=2, linear_num_value_heads=2, linear_key_head_dim=8, linear_value_head_dim=8,
        )  # fmt: skip
        model = hf.Qwen3NextForCausalLM(config)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(8)
    return model.eval()


@pytest.mark.parametrize("name", ["mamba", "lfm2", "qwen3-next"])
def test_samples_are_the_models_and_seeded(name: str, tokenizer: Any) -> None:
    model = build(name)
    assert reruns(model)
    prompts = [Prompt(tuple(range(3, 5 + i)), (i, 10 + i, 20 + i)) for i in range(4)]
    drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
    flat = [(p.token_ids, one) for p, row in zip(prompts, drawn, strict=True) for one in row]
    with torch.no_grad():
        scored = sequence_logprobs(model, [(p, one.token_ids) for p, one in flat], pad_token_id=0).tolist()
        for (prompt, one), score in zip(flat[::3], scored[::3], strict=True):
            rows = model(torch.tensor([[*prompt, *one.token_ids]])).logits.log_softmax(-1)[0]
            alone = sum(float(rows[len(prompt) - 1 + i, token]) for i, token in enumerate(one.token_ids))
            assert one.logprob == pytest.approx(alone, abs=1e-3)
            assert score == pytest.approx(alone, abs=1e-3)
    assert len({one.token_ids for _, one in flat}) > 3
    few = LocalSampler(model, tokenizer, max_rows=4).sample(prompts[::-1], max_new_tokens=12)
    assert [[one.token_ids for one in row] for row in few[::-1]] == [[one.token_ids for one in row] for row in drawn]


def test_greedy_is_generate(tokenizer: Any) -> None:
    model, prompt = build("lfm2"), (3, 4, 5, 6)
    [[one]] = LocalSampler(model, tokenizer).sample([Prompt(prompt, (0,))], max_new_tokens=10, temperature=0)
    inputs = torch.tensor([prompt])
    generated = model.generate(inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=10)
    assert list(one.token_ids) == generated[0, 4:].tolist()


def test_attention_alone_keeps_its_cache(model_of: Any) -> None:
    assert not reruns(model_of("llama"))
    assert not reruns(model_of("gpt2")), "transformers' Conv1D is a linear layer"
    assert not reruns(model_of("gemma2"))
