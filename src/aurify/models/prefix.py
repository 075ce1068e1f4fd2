"""One forward pass for every causal LM: plain, with an adapter, or behind a PEFT soft prompt.

PEFT's own forward puts the soft prompt in front of its input at every call, so a step on top of a key-value cache
would carry it twice, and it drops the positions that it is given. Here the soft prompt is written into the input
embeddings where the caller says, so sampling with a cache and scoring without one compute the same thing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn

from aurify.errors import AurifyError
from aurify.models.positions import positions_in

_ATTENTION = {"full_attention", "sliding_attention"}
_CACHE, _STATES = "past_key_values", "cache_params"
"""What a cache is called, and what Mamba calls it."""
_SOFT_PROMPTS = ("PROMPT_TUNING", "P_TUNING")


def is_adapted(model: nn.Module) -> bool:
    """Whether PEFT wraps it. PEFT itself is not imported for this, which takes a second or two."""
    return hasattr(model, "peft_config") and hasattr(model, "get_base_model")


def causal_lm(model: nn.Module) -> Any:
    """The language model that runs: what PEFT wraps, its LoRA layers included, or the model itself."""
    if is_adapted(model):
        return cast(Any, model).get_base_model()
    return model


def n_virtual_tokens(model: nn.Module) -> int:
    """How many positions the soft prompt takes in front of every sequence; 0 without one.

    Raises AurifyError for a kind of prompt learning that is not an input soft prompt.
    """
    config: Any = getattr(model, "active_peft_config", None)
    if config is None or not config.is_prompt_learning or not getattr(model, "has_active_enabled_adapter", True):
        return 0
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    if kind not in _SOFT_PROMPTS:
        raise AurifyError(f"{kind} models can neither be sampled nor scored here; use LoRA or PROMPT_TUNING")
    return int(config.num_virtual_tokens)


def soft_prompt(model: nn.Module) -> Tensor:
    """The embeddings (P, E) of the soft prompt, for a model that has one."""
    prompt: Tensor = cast(Any, model).get_prompt(batch_size=1)[0]
    return prompt


def position_limit(model: nn.Module) -> int | None:
    """The most positions that a sequence may take, the soft prompt included; None when the model states none."""
    return positions_in(causal_lm(model).config)


def room_behind(model: nn.Module, prompts: Iterable[Sequence[int]]) -> int | None:
    """The most tokens that the model has positions for behind the longest prompt, and behind its soft prompt.

    0 or less where a prompt is too long; None when the model states no limit.
    """
    limit = position_limit(model)
    return None if limit is None else limit - n_virtual_tokens(model) - max(map(len, prompts), default=0)


def next_token_logits(
    model: nn.Module,
    input_ids_BC: Tensor,
    *,
    soft_prompt_at_B: Tensor | None = None,
    keep: int | Tensor = 0,
    **forward: Any,
) -> Tensor:
    """Logits (B, kept columns, V) of the token after each kept column, in the model's own dtype.

    ``soft_prompt_at_B`` is the column at which each row's soft prompt begins: the caller leaves ``n_virtual_tokens``
    columns (of any token id) free there. None where the cache holds the soft prompt already.
    ``keep`` is what transformers calls ``logits_to_keep``: a number of last columns, an index of columns, or 0 for
    all. Attention mask, positions and cache are passed on to the model as far as its forward knows them.
    """
    lm = causal_lm(model)
    inputs = _inputs(model, lm, input_ids_BC, soft_prompt_at_B, forward)
    if "logits_to_keep" in _parameters(lm):
        logits: Tensor = lm(**inputs, logits_to_keep=keep).logits
        return logits
    logits = lm(**inputs).logits
    return logits[:, -keep:] if isinstance(keep, int) else logits[:, keep]


def last_states(
    model: nn.Module, input_ids_BC: Tensor, *, soft_prompt_at_B: Tensor | None = None, **forward: Any
) -> Tensor:
    """The hidden states (B, C, E) that the output layer reads; arguments as for ``next_token_logits``.

    Some models keep them in float32 up to an output layer of a lower dtype (Mamba): they are lowered, as there.
    """
    body = causal_lm(model).base_model
    states: Tensor = body(**_inputs(model, body, input_ids_BC, soft_prompt_at_B, forward)).last_hidden_state
    head = causal_lm(model).get_output_embeddings()
    lowered = isinstance(head, nn.Linear) and head.weight.dtype in (torch.bfloat16, torch.float16)
    return states.to(head.weight.dtype) if lowered and states.dtype == torch.float32 else states


def _inputs(
    model: nn.Module, module: Any, input_ids_BC: Tensor, soft_prompt_at_B: Tensor | None, forward: dict[str, Any]
) -> dict[str, Any]:
    """What ``module``, the causal LM or its body, is called with."""
    known = _parameters(module)
    if _CACHE not in known and _STATES in known and _CACHE in forward:
        forward = {**forward, _STATES: forward[_CACHE]}
    inputs = {name: value for name, value in forward.items() if value is not None and name in known}
    n_virtual = n_virtual_tokens(model) if soft_prompt_at_B is not None else 0
    if soft_prompt_at_B is None or not n_virtual:
        return {**inputs, "input_ids": input_ids_BC}
    embeds_BCD = causal_lm(model).get_input_embeddings()(input_ids_BC)
    prompt_PD = soft_prompt(model).to(embeds_BCD)
    rows_B1 = torch.arange(len(input_ids_BC), device=input_ids_BC.device)[:, None]
    columns_BP = soft_prompt_at_B[:, None] + torch.arange(n_virtual, device=input_ids_BC.device)
    embeds_BCD = embeds_BCD.index_put((rows_B1, columns_BP), prompt_PD.expand(len(rows_B1), -1, -1))
    return {**inputs, "inputs_embeds": embeds_BCD}


def keeps_states(model: nn.Module) -> bool:
    """Whether tokens are mixed otherwise than by attention: by a convolution, a recurrence, linear attention."""
    lm = causal_lm(model)
    config = lm.config.get_text_config() if hasattr(lm.config, "get_text_config") else lm.config
    other = set(getattr(config, "layer_types", None) or ()) - _ATTENTION
    return bool(other or getattr(lm, "_is_stateful", False) or any(isinstance(m, nn.Conv1d) for m in lm.modules()))


def takes_cache(model: nn.Module) -> bool:
    """Whether the model's forward takes a cache."""
    return not _parameters(causal_lm(model)).isdisjoint((_CACHE, _STATES))


def _parameters(lm: Any) -> frozenset[str]:
    kind: Any = type(lm)
    return _parameters_of(kind)


@lru_cache(maxsize=32)
def _parameters_of(kind: Any) -> frozenset[str]:
    return frozenset(inspect.signature(kind.forward).parameters)
