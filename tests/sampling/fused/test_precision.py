"""In bfloat16 the fused path is as near to the model as the model's own bfloat16 forward is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from aurify.models.logprobs import token_logprobs
from aurify.sampling import LocalSampler, Prompt
from aurify.sampling.fused import weights_of
from aurify.sampling.fused.linear import LowRank

ModelOf = Callable[..., Any]


def prompts_of(beginning: int, samples: int) -> list[Prompt]:
    draw = random.Random(7)
    same = tuple(draw.randrange(2, 24) for _ in range(beginning))
    tails = [tuple(draw.randrange(2, 24) for _ in range(draw.randrange(2, 12))) for _ in range(6)]
    return [Prompt(same + tail, tuple(draw.randrange(2**63) for _ in range(samples))) for tail in tails]


def with_large_scores(model: Any) -> Any:
    """Keys with a large common part, as Qwen2.5's biases give: scores of some 200, of which little differs."""
    torch.manual_seed(3)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.k_proj.bias.normal_(std=9.0)
            layer.self_attn.q_proj.bias.normal_(std=9.0)
    return model


def distance(model: Any, tokenizer: Any, prompts: list[Prompt], **options: Any) -> float:
    """Mean absolute difference a token, in nats, of what is said of the samples from float32 with the same weights."""
    drawn = LocalSampler(model, tokenizer, **options).sample(prompts, max_new_tokens=24)
    flat = [(p.token_ids, one) for p, row in zip(prompts, drawn, strict=True) for one in row]
    said = torch.tensor([logprob for _, one in flat for logprob in one.token_logprobs])
    exact = model_in(model, torch.float32)
    with torch.no_grad():
        own = torch.cat(token_logprobs(exact, [(p, one.token_ids) for p, one in flat], pad_token_id=0))
    return float((said - own).abs().mean())


def model_in(model: Any, dtype: torch.dtype) -> Any:
    import copy

    return copy.deepcopy(model).to(dtype)


@pytest.mark.parametrize(("beginning", "samples"), [(0, 1), (40, 1), (40, 4), (0, 4)])
@pytest.mark.parametrize("held", [torch.bfloat16, torch.float32])
def test_large_scores_and_parts_of_attention(
    held: torch.dtype, beginning: int, samples: int, model_of: ModelOf, tokenizer: Any
) -> None:
    """A common beginning, several samples a prompt, neither: the parts that join, with weights held in either dtype."""
    model = model_in(with_large_scores(model_of("qwen2", sharpness=6.0)), torch.bfloat16).to(held)
    prompts = prompts_of(beginning, samples)
    dtype = torch.bfloat16 if held == torch.float32 else None
    fused = distance(model, tokenizer, prompts, dtype=dtype)
    general = distance(model, tokenizer, prompts, dtype=dtype, fused=False)
    assert fused < 1.5 * general + 1e-3, "not much further than the model's own forward in bfloat16"
    assert fused > 1e-4


def test_an_adapter_smaller_than_the_steps_of_bfloat16_acts(model_of: ModelOf, tokenizer: Any) -> None:
    """Folded into weights of about 1 an adapter's share of 3e-4 would be rounded away; what it does is not small."""
    model = model_in(model_of("llama", sharpness=3.0), torch.bfloat16)
    import peft

    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight.copy_(torch.where(torch.rand(32, 48) < 0.5, -1.0, 1.0))
    model = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=2, target_modules=["down_proj"])).eval()
    adapter = model.base_model.model.model.layers[1].mlp.down_proj
    with torch.no_grad():
        adapter.lora_A["default"].weight.fill_(1.0)
        adapter.lora_B["default"].weight.copy_(torch.randn(32, 2) * 2e-4)
    assert adapter.lora_A["default"].weight.dtype == torch.float32
    folded = adapter.base_layer.weight + adapter.get_delta_weight("default").bfloat16()
    assert torch.equal(folded, adapter.base_layer.weight)
    weights = weights_of(model)
    assert weights is not None
    [(outputs, share)] = weights.layers[1].down.mixes
    x_NI = torch.randn(5, 48, dtype=torch.bfloat16)
    rows_NS = weights.layers[1].down.product(x_NI)[:, 32:]
    expected = (x_NI.float() @ adapter.get_delta_weight("default").T)[:, outputs]
    torch.testing.assert_close(share(rows_NS).float(), expected, atol=1e-4, rtol=0.05)


def test_adapters_are_folded_in_float32_and_beside_it_below(model_of: ModelOf) -> None:
    model = model_of("qwen3+lora")
    exact, lowered = weights_of(model), weights_of(model, torch.bfloat16)
    assert exact is not None
    assert lowered is not None
    assert not exact.layers[0].qkv.mixes
    assert exact.layers[0].before is None
    assert len(lowered.layers[0].qkv.mixes) == 3
    assert lowered.layers[0].before is not None
    x_NE = torch.ones(1, model.config.hidden_size, dtype=torch.bfloat16)
    assert lowered.layers[0].qkv.product(x_NE).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", ["qwen2+lora", "qwen3+lora", "llama+prompt"])
def test_adapters_over_a_bfloat16_base(kind: str, model_of: ModelOf, tokenizer: Any) -> None:
    """PEFT keeps adapters in float32 over a bfloat16 base."""
    from aurify.models.tuning import trainable_parameters

    family, _, adapter = kind.partition("+")
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).parents[1] / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    model = tiny.with_adapter(model_in(model_of(family, sharpness=4.0), torch.bfloat16), adapter)
    assert {p.dtype for p in trainable_parameters(model).values()} == {torch.float32}
    prompts = prompts_of(40, 2)
    fused = distance(model, tokenizer, prompts)
    lowered = distance(model, tokenizer, prompts, fused=False, dtype=torch.bfloat16)
    assert fused < 1.5 * lowered + 1e-3, "as the update, whose adapters compute in bfloat16 too"


def test_low_rank_rows_follow_the_order_of_the_outputs() -> None:
    part = LowRank(torch.randn(2, 3), torch.arange(8.0).view(4, 2))
    assert part.reordered(lambda rows: rows.flip(0)).up_OS[0].tolist() == [6.0, 7.0]
