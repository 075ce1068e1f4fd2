"""Models whose states no cache of transformers' carries are sampled too, each token from the beginning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.local import reruns


@pytest.fixture
def rwkv() -> Any:
    import transformers as hf

    torch.manual_seed(0)
    config = hf.RwkvConfig(
        vocab_size=24, eos_token_id=1, pad_token_id=0, bos_token_id=None, hidden_size=32, attention_hidden_size=32,
        num_hidden_layers=2, context_length=128,
    )  # fmt: skip
    model: Any = hf.RwkvForCausalLM(config)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(8)
    return model.eval()


def test_samples_are_the_models_and_seeded(rwkv: Any, tokenizer: Any, check_logprobs: Any) -> None:
    model = rwkv
    assert reruns(model)
    prompts = [Prompt(tuple(range(3, 5 + i)), (i, 10 + i, 20 + i)) for i in range(4)]
    drawn = LocalSampler(model, tokenizer).sample(prompts, max_new_tokens=12)
    flat = [(p.token_ids, one) for p, row in zip(prompts, drawn, strict=True) for one in row]
    check_logprobs(model, flat)
    assert len({one.token_ids for _, one in flat}) > 3
    few = LocalSampler(model, tokenizer, max_rows=4).sample(prompts[::-1], max_new_tokens=12)
    assert [[one.token_ids for one in row] for row in few[::-1]] == [[one.token_ids for one in row] for row in drawn]


def test_attention_alone_keeps_its_cache(model_of: Any) -> None:
    assert not reruns(model_of("llama"))
    assert not reruns(model_of("gpt2")), "transformers' Conv1D is a linear layer"
    assert not reruns(model_of("gemma2"))
