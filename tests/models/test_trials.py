"""Trials on a few tokens see through bfloat16: what takes the fast ways, and what does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from aurify.models.logprobs import head_of, sequence_logprobs, takes_packs
from aurify.models.packing import Scored
from aurify.models.trials import head_is_plain, in_float32, trial

_spec = importlib.util.spec_from_file_location("tiny_models", Path(__file__).parents[1] / "sampling" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

SEQUENCES: list[Scored] = [((3, 4, 5), (6, 7, 1)), ((3, 4, 5), (8, 9)), ((10, 11), (12,))]
BLOCKS = {
    "vocab_size": 24, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "eos_token_id": 1, "pad_token_id": 0,
    "bos_token_id": None,
}  # fmt: skip
DTYPES = (torch.float32, torch.bfloat16)


def falcon_h1() -> Any:
    import transformers as hf

    config = hf.FalconH1Config(
        **BLOCKS,
        mamba_d_ssm=64,
        mamba_n_heads=4,
        mamba_d_head=16,
        mamba_d_state=8,
        mamba_n_groups=1,
        mamba_chunk_size=8,
    )
    torch.manual_seed(0)
    return hf.FalconH1ForCausalLM(config).eval()


def deepseek(v_head_dim: int) -> Any:
    import transformers as hf

    config = hf.DeepseekV3Config(
        **{**BLOCKS, "num_key_value_heads": 4}, n_routed_experts=4, n_group=1, topk_group=1, num_experts_per_tok=2,
        moe_intermediate_size=32, kv_lora_rank=16, q_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=16,
        v_head_dim=v_head_dim, first_k_dense_replace=1,
    )  # fmt: skip
    torch.manual_seed(0)
    return hf.DeepseekV3ForCausalLM(config).eval()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sharpness", [0.01, 1.0, 12.0])
def test_a_head_that_caps_its_logits_is_never_plain(sharpness: float, dtype: torch.dtype) -> None:
    """However small its logits are: near 0 a cap does nothing that could be measured."""
    assert not head_is_plain(tiny.build_model("gemma2", sharpness=sharpness).to(dtype))
    assert head_is_plain(tiny.build_model("qwen2", sharpness=sharpness).to(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_head_that_scales_is_not_plain(dtype: torch.dtype) -> None:
    import transformers as hf

    def granite(scaling: float) -> Any:
        return hf.GraniteForCausalLM(hf.GraniteConfig(**BLOCKS, logits_scaling=scaling)).eval().to(dtype)

    assert head_of(granite(4.0)) is None
    assert head_of(granite(1.0)) is not None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2", "llama+lora", "llama+prompt"])
def test_plain_models_take_packs_in_either_dtype(kind: str, dtype: torch.dtype) -> None:
    model = tiny.build_model(kind).to(dtype)
    model.train()
    assert takes_packs(model, SEQUENCES)
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert all(module.training for module in model.modules()), "as it was before"


@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_that_mix_tokens_otherwise_take_no_packs(dtype: torch.dtype) -> None:
    """Falcon-H1 has attention in every layer, and a Mamba beside it."""
    model = falcon_h1().to(dtype)
    assert not takes_packs(model, SEQUENCES)
    together = sequence_logprobs(model, SEQUENCES, pad_token_id=0)
    alone = [sequence_logprobs(model, [one], pad_token_id=0) for one in SEQUENCES]
    torch.testing.assert_close(together, torch.cat(alone), atol=0.05 if dtype == torch.bfloat16 else 1e-4, rtol=0.01)


@pytest.mark.parametrize("v_head_dim", [16, 24])
def test_latent_attention_is_scored_rightly(v_head_dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """DeepSeek's values are narrower than its queries (16 and 24 here)."""
    from aurify.models import logprobs

    model = deepseek(v_head_dim)
    found = sequence_logprobs(model, SEQUENCES, pad_token_id=0)
    exact = []
    for prompt, z in SEQUENCES:
        rows = model(torch.tensor([[*prompt, *z]])).logits.log_softmax(-1)[0]
        exact.append(sum(rows[len(prompt) - 1 + i, token] for i, token in enumerate(z)))
    torch.testing.assert_close(found, torch.stack(exact), atol=1e-4, rtol=1e-4)
    assert takes_packs(model, SEQUENCES)
    monkeypatch.setattr(logprobs, "takes_packs", lambda *_: False)
    torch.testing.assert_close(sequence_logprobs(model, SEQUENCES, pad_token_id=0), found, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("error", [RuntimeError, ValueError, NotImplementedError])
def test_whatever_a_pack_ends_in_its_model_is_padded(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    from aurify.models.packing import Pack

    def broken(*_: Any) -> Any:
        raise error("of another form")

    model = tiny.build_model("llama")
    monkeypatch.setattr(Pack, "attend", broken)
    assert not takes_packs(model, SEQUENCES)
    assert sequence_logprobs(model, SEQUENCES, pad_token_id=0).isfinite().all()


def test_inside_everything_is_float32() -> None:
    model = tiny.build_model("qwen2").bfloat16()
    ids = torch.tensor([[3, 4, 5, 6]])
    with trial(model), in_float32():
        found = model(ids).logits
    assert found.dtype == torch.float32
    expected = tiny.build_model("qwen2").bfloat16().float()(ids).logits
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (model(ids).logits.float() - expected).abs().max() > 1e-3, "which bfloat16 is not"
