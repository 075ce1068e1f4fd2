"""The weights of a Llama- or Qwen-style decoder, as few matrices as its arithmetic needs.

The matrices are joined copies of the trained module's own, adapters (see ``linear``) and norms' weights folded in,
made afresh at every call of the sampler, so they are never older than the weights. A model of another form gives
None, and so does anything that would make a copy compute something else: quantized layers, hooks, DoRA, dynamic
positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.models.prefix import causal_lm
from aurify.sampling.fused.linear import Joined, Matrix, OtherForm, matrix_of

_FAMILIES = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"}
_STATIC_ROPE = {"default", "linear", "llama3", "yarn"}
COPY_LIMIT = 4 * 2**30
"""Bytes of weights; a copy of more is not made beside the trained ones."""


@dataclass(frozen=True)
class Layer:
    """One block: x + out(attention(qkv(rms(x)))), then x + down(act(gate(rms(x))) * up(rms(x))).

    Rows of queries and keys are interleaved (see ``interleaved``). The weights of both norms are None where they are
    folded into the matrices that follow; the norms of queries and keys stand apart.
    """

    before: Tensor | None
    qkv: Joined
    q_norm: Tensor | None
    k_norm: Tensor | None
    out: Joined
    between: Tensor | None
    gate_up: Joined
    down: Joined


@dataclass(frozen=True)
class Weights:
    """A whole decoder. ``heads`` attend in groups to ``kv_heads``; ``width`` is that of one head."""

    layers: list[Layer]
    embedding: Tensor
    norm: Tensor | None
    head: Joined
    rotary: nn.Module
    heads: int
    kv_heads: int
    width: int
    scale: float
    eps: float
    activation: Callable[[Tensor], Tensor]


def weights_of(model: nn.Module, dtype: torch.dtype | None = None, *, copy_limit: int = COPY_LIMIT) -> Weights | None:
    """The joined weights, in ``dtype`` [the model's], or None for a model that this path does not compute.

    Norms' weights and LoRA are folded into the matrices in float32 alone: what is below loses by it (see ``linear``).
    """
    lm = causal_lm(model)
    config = lm.config
    if type(lm).__name__ not in _FAMILIES or not _plain(lm, config, copy_limit):
        return None
    first = lm.model.layers[0].self_attn
    width, eps = int(first.head_dim), float(lm.model.norm.variance_epsilon)
    embedding = lm.get_input_embeddings().weight.detach()
    form = DecoderForm(dtype or embedding.dtype)
    try:
        layers = [_layer(layer, width, form) for layer in lm.model.layers]
        norm, head = form.joined(lm.model.norm, [matrix_of(lm.lm_head, form.folds)])
    except OtherForm:
        return None
    return Weights(
        layers=layers,
        embedding=embedding.to(form.dtype),
        norm=norm,
        head=head,
        rotary=lm.model.rotary_emb,
        heads=int(config.num_attention_heads),
        kv_heads=int(config.num_key_value_heads),
        width=width,
        scale=float(first.scaling),
        eps=eps,
        activation=lm.model.layers[0].mlp.act_fn,
    )


@dataclass(frozen=True)
class DecoderForm:
    """The dtype of the joined matrices, and so what is folded into them."""

    dtype: torch.dtype

    @property
    def folds(self) -> bool:
        """Whether norms' weights and LoRA are."""
        return self.dtype == torch.float32

    def joined(self, norm: Any, parts: Sequence[Matrix]) -> tuple[Tensor | None, Joined]:
        """Layers behind a norm: its weight, None where it is folded in, and their matrix."""
        weight_E: Tensor = norm.weight.detach()
        if self.folds:
            return None, Joined(parts, weight_E, self.dtype)
        return weight_E.float(), Joined(parts, None, self.dtype)


def interleaved(matrix: Tensor, width: int) -> Tensor:
    """Rows (i, i + width/2) of every head side by side, so that a rotation is one complex product.

    The scores do not change: queries and keys are reordered alike.
    """
    heads = matrix.view(-1, 2, width // 2, *matrix.shape[1:])
    return heads.transpose(1, 2).reshape(matrix.shape)


def _plain(lm: Any, config: Any, copy_limit: int) -> bool:
    rope = getattr(lm.model.rotary_emb, "rope_type", None) if hasattr(lm.model, "rotary_emb") else None
    layer_types = set(getattr(config, "layer_types", None) or ())
    sliding = getattr(config, "sliding_window", None) if not layer_types else None
    size = sum(p.numel() * p.element_size() for p in lm.parameters())
    return (
        rope in _STATIC_ROPE
        and layer_types <= {"full_attention"}
        and sliding is None
        and type(lm.get_input_embeddings()) is nn.Embedding
        and size <= copy_limit
        and not any(_hooked(module) for module in lm.modules())
    )


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or hasattr(module, "_hf_hook"))


def _layer(layer: Any, width: int, form: DecoderForm) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp

    def matrices(*modules: Any) -> list[Matrix]:
        return [matrix_of(module, form.folds) for module in modules]

    q, k, v = matrices(attention.q_proj, attention.k_proj, attention.v_proj)
    q, k = (matrix.reordered(lambda rows: interleaved(rows, width)) for matrix in (q, k))
    norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
    q_norm, k_norm = (None if n is None else interleaved(n.weight.detach(), width).float() for n in norms)
    before, qkv = form.joined(layer.input_layernorm, [q, k, v])
    between, gate_up = form.joined(layer.post_attention_layernorm, matrices(mlp.gate_proj, mlp.up_proj))
    out, down = (Joined(matrices(module), None, form.dtype) for module in (attention.o_proj, mlp.down_proj))
    return Layer(before, qkv, q_norm, k_norm, out, between, gate_up, down)
