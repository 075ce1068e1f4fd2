"""Packs through a Hugging Face model's own forward: an attention function that its attention interface is told of.

A model that passes its keyword arguments on to the interface computes packs; whether one does, and rightly, is
tried once on a few tokens against the padded way (see ``takes_packs``). Without a pack the function is SDPA.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from aurify.models.packing import Pack, Unpackable

ATTENTION_NAME = "aurify_packed"
_UNKNOWN = ("softcap", "s_aux", "position_bias")  # what some models ask of attention, and a pack does not do

_ready: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    pack: Pack | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """(1, N, H, D) for a pack given as keyword argument; else what transformers' SDPA gives."""
    if pack is None:
        out: tuple[Tensor, Tensor | None] = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return out
    if any(options.get(name) is not None for name in _UNKNOWN):
        raise Unpackable("this attention is more than a pack computes")
    scale, dropout = options.get("scaling"), options.get("dropout", 0.0)
    return pack.attend(query[0], key[0], value[0], scale, dropout)[None], None


def forwards_packs(lm: Any) -> bool:
    """Have the model's attention take packs, if it lets its attention be chosen and now takes SDPA."""
    if lm not in _ready:
        _ready[lm] = _switch(lm)
    return _ready[lm] and lm.config._attn_implementation == ATTENTION_NAME


def _switch(lm: Any) -> bool:
    able = getattr(lm, "_can_set_attn_implementation", lambda: False)
    if getattr(lm.config, "_attn_implementation", None) not in ("sdpa", ATTENTION_NAME) or not able():
        return False
    AttentionInterface.register(ATTENTION_NAME, attention)
    AttentionMaskInterface.register(ATTENTION_NAME, sdpa_mask)
    lm.set_attn_implementation(ATTENTION_NAME)
    return True


def states_of(lm: Any, pack: Pack, inputs: dict[str, Tensor]) -> Tensor:
    """The last hidden states (N, E) of a pack's tokens. The 4-dimensional mask keeps one from being made."""
    states: Tensor = lm.base_model(
        **inputs,
        attention_mask=torch.zeros(1, 1, 1, 1, device=pack.position_N.device),
        position_ids=pack.position_N[None],
        use_cache=False,
        pack=pack,
    ).last_hidden_state
    return states[0]
