"""Predicted memory against what autograd keeps, and what the sampler holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from aurify.models.logprobs import sequence_logprobs, takes_packs
from aurify.models.lora import add_lora
from aurify.models.memory import ModelShape, most_tokens, sampler_memory, update_memory
from aurify.models.packing import Pack
from aurify.models.tuning import prepare

SEQUENCES = [(tuple(range(3, 23)), tuple(range(3 + i, 33 + i))) for i in range(8)]


def build(kind: Any, dtype: torch.dtype = torch.float32) -> Any:
    """A shape that the factors were not found with."""
    import transformers as hf

    config = hf.LlamaConfig(
        vocab_size=64, hidden_size=80, intermediate_size=208, num_hidden_layers=3, num_attention_heads=5,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=256,
    )  # fmt: skip
    torch.manual_seed(0)
    model = hf.LlamaForCausalLM(config).eval().to(dtype)
    if kind == "qv-lora":
        return add_lora(model, rank=2, alpha=4)
    tokenizer: Any = None
    return prepare(model, tokenizer, kind=kind, lora_rank=2, prompt_tokens=4).model


def kept(model: Any, bf16: bool) -> int:
    """Bytes that autograd keeps for the backward pass, parameters aside."""
    known = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found: dict[int, int] = {}
    alive = []

    def look(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    assert takes_packs(model, SEQUENCES)
    with (
        torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
    ):
        sequence_logprobs(model, SEQUENCES, pad_token_id=0)
    return sum(found.values())


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("kind", ["full", "lora", "qv-lora", "prompt"])
def test_what_autograd_keeps_is_predicted(kind: Any, bf16: bool) -> None:
    model = build(kind)
    pack = Pack.of(SEQUENCES, 4 if kind == "prompt" else 0, torch.device("cpu"))
    predicted = update_memory(
        ModelShape.of(model), kind, tokens=len(pack.position_N), columns=len(pack.columns_P), bf16=bf16
    )
    assert kept(model, bf16) == pytest.approx(predicted.activations + predicted.casts, rel=0.12)


def test_a_bfloat16_base_needs_no_casts() -> None:
    model = build("lora", torch.bfloat16)
    form = ModelShape.of(model)
    pack = Pack.of(SEQUENCES, 0, torch.device("cpu"))
    predicted = update_memory(form, "lora", tokens=len(pack.position_N), columns=len(pack.columns_P), bf16=True)
    assert predicted.casts == 0
    assert kept(model, True) == pytest.approx(predicted.activations, rel=0.12)
    assert predicted.weights == sum(p.numel() * p.element_size() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert (predicted.gradients, predicted.optimizer) == (4 * trained, 8 * trained)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_sampler_holds_what_is_predicted(dtype: torch.dtype) -> None:
    from aurify.sampling.fused import FusedEngine, weights_of
    from aurify.sampling.fused.linear import Joined

    model = build("full")
    weights = weights_of(model, dtype)
    assert weights is not None
    prompts = [tuple(range(3, 23 + i)) for i in range(6)]
    predicted = sampler_memory(
        ModelShape.of(model), rows=6, new_tokens=10, prompt=3, shared=20, bf16=dtype != torch.float32
    )
    joined = [matrix for layer in weights.layers for matrix in vars(layer).values() if isinstance(matrix, Joined)]
    copies = sum(matrix.n_bytes for matrix in [*joined, weights.head])
    copies += weights.embedding.numel() * weights.embedding.element_size() if dtype != torch.float32 else 0
    assert copies == pytest.approx(predicted.casts, rel=0.02)
    with torch.no_grad():
        engine = FusedEngine(model, weights, prompts, 10)
        prefilled = engine.prefill(prompts)
        engine.refill(torch.zeros(0).bool(), torch.zeros(0, dtype=torch.long), [(prefilled, torch.arange(6))])
        for _ in range(9):
            engine.step(torch.full((6,), 5))
    held = sum(x.numel() * x.element_size() for band in engine.bands for pair in band.own.layers for x in pair)
    held += sum(x.numel() * x.element_size() for pair in engine.common or [] for x in pair)
    assert held == pytest.approx(predicted.cache, rel=0.2)


def test_an_adapter_that_wraps_a_tied_output_layer_has_its_words() -> None:
    """PEFT's ``trainable_token_indices``: some rows of both layers are trained, as one."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        tie_word_embeddings=True,
    )  # fmt: skip
    wrapped = LoraConfig(r=2, target_modules=["q_proj"], trainable_token_indices={"embed_tokens": [3, 4]})
    shape = ModelShape.of(get_peft_model(LlamaForCausalLM(config), wrapped))
    assert shape.vocabulary == 64
    assert shape.trained == 2 * 2 * 32 + 2 * 32


def test_of_pieces_each_process_holds_its_own() -> None:
    form = ModelShape.of(build("full"))
    whole = update_memory(form, "full", tokens=100, bf16=False)
    piece = update_memory(form, "full", tokens=100, bf16=False, pieces=4)
    for name in ("weights", "gradients", "optimizer"):
        assert getattr(piece, name) == getattr(whole, name) // 4
    assert (piece.activations, piece.logits) == (whole.activations, whole.logits)
    assert whole.gathered == 0 < piece.gathered
    asked: dict[str, Any] = {"rows": 6, "new_tokens": 10, "prompt": 3, "bf16": False, "moments": True}
    one, four = sampler_memory(form, **asked), sampler_memory(form, **asked, pieces=4)
    assert one.weights == four.weights == 4 * four.gathered
    assert one.optimizer == 4 * four.optimizer == whole.optimizer


def test_what_fits_is_the_most_that_fits() -> None:
    form = ModelShape.of(build("lora"))

    def need(tokens: int) -> int:
        return update_memory(form, "lora", tokens=tokens, columns=round(3.0 * tokens), bf16=True).total

    for room in (2**28, 2**30, 2**33):
        tokens = most_tokens(need, room)
        assert need(tokens) <= room < need(tokens + 1)
    assert most_tokens(need, 2**26) == 0
