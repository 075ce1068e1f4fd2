"""The weights of a Llama- or Qwen-style decoder, as few matrices as its arithmetic needs.

The matrices are joined copies of the trained module's own, LoRA and norms' weights folded in, made afresh at every
call of the sampler, so they are never older than the weights. A model of another form gives None, and so does
anything that would make a copy compute something else: quantized layers, hooks, DoRA, dynamic positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.models.prefix import causal_lm

_FAMILIES = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"}
_STATIC_ROPE = {"default", "linear", "llama3", "yarn"}
_COPY_LIMIT = 4 * 2**30  # bytes of weights; a copy of more is not made beside the trained ones


@dataclass(frozen=True)
class Layer:
    """One block: x + out(attention(qkv(rms(x)))), then x + down(act(gate(rms(x))) * up(rms(x))).

    Matrices are (out, in). Rows of queries and keys are interleaved (see ``interleaved``).
    """

    qkv: Tensor
    qkv_bias: Tensor | None
    q_norm: Tensor | None
    k_norm: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    gate_up: Tensor
    gate_up_bias: Tensor | None
    down: Tensor
    down_bias: Tensor | None


@dataclass(frozen=True)
class Weights:
    """A whole decoder. ``heads`` attend in groups to ``kv_heads``; ``width`` is that of one head."""

    layers: list[Layer]
    embedding: Tensor
    head: Tensor
    head_bias: Tensor | None
    rotary: nn.Module
    heads: int
    kv_heads: int
    width: int
    scale: float
    eps: float
    activation: Callable[[Tensor], Tensor]


def weights_of(model: nn.Module, dtype: torch.dtype | None = None) -> Weights | None:
    """The joined weights, in ``dtype`` [the model's], or None for a model that this path does not compute."""
    lm = causal_lm(model)
    config = lm.config
    if type(lm).__name__ not in _FAMILIES or not _plain(lm, config):
        return None
    first = lm.model.layers[0].self_attn
    width, eps = int(first.head_dim), float(lm.model.norm.variance_epsilon)
    try:
        layers = [_layer(layer, width, dtype) for layer in lm.model.layers]
        head, head_bias = _linear(lm.lm_head)
    except _OtherForm:
        return None
    return Weights(
        layers=layers,
        embedding=_cast(lm.get_input_embeddings().weight, dtype),
        head=_cast(head * lm.model.norm.weight, dtype),
        head_bias=None if head_bias is None else _cast(head_bias, dtype),
        rotary=lm.model.rotary_emb,
        heads=int(config.num_attention_heads),
        kv_heads=int(config.num_key_value_heads),
        width=width,
        scale=float(first.scaling),
        eps=eps,
        activation=lm.model.layers[0].mlp.act_fn,
    )


def interleaved(matrix: Tensor, width: int) -> Tensor:
    """Rows (i, i + width/2) of every head side by side, so that a rotation is one complex product.

    The scores do not change: queries and keys are reordered alike.
    """
    heads = matrix.view(-1, 2, width // 2, *matrix.shape[1:])
    return heads.transpose(1, 2).reshape(matrix.shape)


class _OtherForm(Exception):
    """A layer is not one that can be joined."""


def _plain(lm: Any, config: Any) -> bool:
    rope = getattr(lm.model.rotary_emb, "rope_type", None) if hasattr(lm.model, "rotary_emb") else None
    layer_types = set(getattr(config, "layer_types", None) or ())
    sliding = getattr(config, "sliding_window", None) if not layer_types else None
    size = sum(p.numel() * p.element_size() for p in lm.parameters())
    return (
        rope in _STATIC_ROPE
        and layer_types <= {"full_attention"}
        and sliding is None
        and type(lm.get_input_embeddings()) is nn.Embedding
        and size <= _COPY_LIMIT
        and not any(_hooked(module) for module in lm.modules())
    )


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or hasattr(module, "_hf_hook"))


def _layer(layer: Any, width: int, dtype: torch.dtype | None) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    q, k, v = (_linear(p) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
    before, between = layer.input_layernorm.weight, layer.post_attention_layernorm.weight
    parts = [(interleaved(q[0], width), q[1]), (interleaved(k[0], width), k[1]), v]
    biases = [None if b is None else (interleaved(b, width) if i < 2 else b) for i, (_, b) in enumerate(parts)]
    gate, up = _linear(mlp.gate_proj), _linear(mlp.up_proj)
    out, down = _linear(attention.o_proj), _linear(mlp.down_proj)
    norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
    q_norm, k_norm = (None if n is None else _cast(interleaved(n.weight, width), dtype) for n in norms)
    return Layer(
        qkv=_cast(torch.cat([w for w, _ in parts]) * before, dtype),
        qkv_bias=_join(biases, [len(w) for w, _ in parts], dtype),
        q_norm=q_norm,
        k_norm=k_norm,
        out=_cast(out[0], dtype),
        out_bias=_join([out[1]], [len(out[0])], dtype),
        gate_up=_cast(torch.cat([gate[0], up[0]]) * between, dtype),
        gate_up_bias=_join([gate[1], up[1]], [len(gate[0]), len(up[0])], dtype),
        down=_cast(down[0], dtype),
        down_bias=_join([down[1]], [len(down[0])], dtype),
    )


def _linear(module: Any) -> tuple[Tensor, Tensor | None]:
    """The matrix and bias that a linear layer applies, its active LoRA adapters added."""
    if type(module) is nn.Linear:
        return module.weight, module.bias
    from peft.tuners.lora import Linear as LoraLinear

    base = getattr(module, "base_layer", None)
    if type(module) is not LoraLinear or type(base) is not nn.Linear:
        raise _OtherForm
    weight = base.weight
    if not module.disable_adapters and not module.merged:
        for name in _plain_adapters(module):
            weight = weight + module.get_delta_weight(name)
    return weight, base.bias


def _plain_adapters(module: Any) -> Iterator[str]:
    for name in module.active_adapters:
        if name not in module.lora_A:
            continue
        if name in getattr(module, "lora_variant", {}) or module.lora_bias.get(name):
            raise _OtherForm
        yield name


def _join(biases: list[Tensor | None], sizes: list[int], dtype: torch.dtype | None) -> Tensor | None:
    known = next((bias for bias in biases if bias is not None), None)
    if known is None:
        return None
    parts = [known.new_zeros(n) if bias is None else bias for bias, n in zip(biases, sizes, strict=True)]
    return _cast(torch.cat(parts), dtype)


def _cast(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor.detach() if dtype is None else tensor.detach().to(dtype)
