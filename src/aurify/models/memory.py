"""How much memory an update and the sampler will take, before either runs.

Counted for decoders of the Llama form (attention with grouped keys and values, a gated MLP); others are near it. What
autograd keeps of a token and layer is linear in the layer's dimensions; the factors were found by counting what is kept
(``torch.autograd.graph.saved_tensors_hooks``) over small models of many shapes, and hold within 1 % there.

Shapes: E width of the model, I of the MLP, A of all query heads together, K of all key-value heads together.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal

import torch
from torch import nn

from aurify.models.device import best_device
from aurify.models.head import CHUNK_LOGITS, PLAIN_LOGITS
from aurify.models.prefix import causal_lm

Kind = Literal["full", "lora", "qv-lora", "prompt"]
"""What is trained: all weights, LoRA on all linear layers, LoRA on queries and values alone, or a soft prompt."""
Factors = tuple[float, float, float, float]

_KEPT: dict[tuple[Kind, bool], Factors] = {
    ("full", False): (24, 12, 12, 8),
    ("full", True): (26, 6, 10, 8),
    ("lora", False): (16, 12, 12, 8),
    ("lora", True): (18, 6, 10, 8),
    ("qv-lora", False): (12, 8, 8, 8),
    ("qv-lora", True): (12, 4, 8, 8),
    ("prompt", False): (8, 8, 8, 8),
    ("prompt", True): (8, 4, 8, 8),
}
"""Bytes of a token and layer for each unit of E, I, A and K; by tuning kind, and whether products are in bfloat16."""
_SHORT: dict[Kind, int] = {"lora": 6, "qv-lora": 2}
"""Less of these for each unit of E where the weights are bfloat16 too, and so what runs between the layers."""
SPARE = 0.35
"""Of what autograd keeps: SmolLM2 135M took 2.26 GiB where it counts 1.78 (1,067 tokens, LoRA, mixed)."""
_BUFFERS = 3
"""Copies of what is whole of a model in pieces: itself, and the buffers through which it comes and goes. By memory that
was resident, 1.7 to 3.1 (``bench/sharded_memory.py``)."""
_LAST = 12
"""Bytes of a token for each unit of E that the last norm keeps."""
_HEAD = {False: 12, True: 14}
"""Bytes of a logit while the output layer's gradient is found."""
_FROZEN_HEAD = {False: 4, True: 2}
"""The same in parts, where that layer is frozen: what it gives of a part is all that is whole (``head.py``)."""
_DRAWN = 20
"""Bytes of a logit while a token is drawn: float32 logits, shifted, as weights, and sums of these."""


def _number(config: Any, name: str) -> int:
    """A dimension that a configuration names; 0 where it has none, or one for each layer."""
    value = getattr(config, name, None)
    return value if isinstance(value, int) else 0


@dataclass(frozen=True)
class ModelShape:
    """What memory depends on of a model: its dimensions, and the bytes of a frozen weight."""

    layers: int
    width: int
    inner: int
    queries: int
    keys: int
    vocabulary: int
    parameters: int
    trained: int
    weight_bytes: int
    frozen_bytes: int
    """Of all frozen weights: fewer than their number times ``weight_bytes`` where some are quantised."""

    @classmethod
    def of(cls, model: nn.Module) -> ModelShape:
        """The form of a model, and of what is trained of it; one without attention (Mamba) has no keys."""
        lm = causal_lm(model)
        config: Any = lm.config.get_text_config()
        heads = _number(config, "num_attention_heads")
        head_width = _number(config, "head_dim") or config.hidden_size // max(1, heads)
        parameters = list(model.parameters())
        frozen = [p for p in parameters if not p.requires_grad] or parameters
        return cls(
            layers=config.num_hidden_layers,
            width=config.hidden_size,
            inner=_number(config, "intermediate_size") or 4 * config.hidden_size,
            queries=heads * head_width,
            keys=(_number(config, "num_key_value_heads") or heads) * head_width,
            vocabulary=len(lm.get_output_embeddings().weight),
            parameters=sum(p.numel() for p in parameters),
            trained=sum(p.numel() for p in parameters if p.requires_grad),
            weight_bytes=frozen[0].element_size(),
            frozen_bytes=sum(p.numel() * p.element_size() for p in parameters if not p.requires_grad),
        )

    @property
    def matrices(self) -> int:
        """Weights of the layers' matrices, without embeddings."""
        return self.layers * self.width * (2 * self.queries + 2 * self.keys + 3 * self.inner)


@dataclass(frozen=True)
class MemoryUse:
    """Bytes, by what they hold.

    ``casts`` are copies of the weights in another dtype, or of another form; ``gathered`` are weights and gradients of
    a model in pieces that are whole while a layer computes, or the pieces beside a whole copy; ``spare`` is what the
    allocator holds between the activations; ``library`` is code, the tokenizer and buffers. Both were measured on a
    CPU.
    """

    weights: int = 0
    gradients: int = 0
    optimizer: int = 0
    casts: int = 0
    gathered: int = 0
    activations: int = 0
    logits: int = 0
    cache: int = 0
    spare: int = 0
    library: int = round(0.1 * 2**30)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        parts = [(field.name, getattr(self, field.name)) for field in fields(self)]
        told = ", ".join(f"{name} {size / 2**30:.2f}" for name, size in parts if size >= 2**30 / 200)
        return f"{self.total / 2**30:.1f} GiB ({told})"


def update_memory(
    form: ModelShape,
    kind: Kind,
    *,
    tokens: int,
    columns: int | None = None,
    bf16: bool,
    pieces: int = 1,
) -> MemoryUse:
    """The peak of an update, in one process.

    Args:
        tokens: of the largest micro-batch, prompts included.
        columns: keys that its spans attend to, each span counted [as many as tokens]; a long shared beginning counts
            once for every completion behind it.
        bf16: whether products are in bfloat16, as with ``--dtype mixed`` and ``bfloat16``.
        pieces: of the weights, in as many processes, each of which has one.
    """
    by_width, by_inner, by_queries, by_keys = _KEPT[kind, bf16]
    if bf16 and form.weight_bytes <= 2:
        by_width -= _SHORT.get(kind, 0)
    a_token = by_width * form.width + by_inner * form.inner + by_queries * form.queries
    kept = form.layers * (tokens * a_token + (columns or tokens) * by_keys * form.keys) + tokens * _LAST * form.width
    cast = bf16 and form.weight_bytes > 2  # autograd keeps the casts of a micro-batch's matrices
    logits = tokens * form.vocabulary
    in_parts = CHUNK_LOGITS if kind == "full" and logits > PLAIN_LOGITS else PLAIN_LOGITS
    a_logit = _FROZEN_HEAD if kind != "full" and logits > PLAIN_LOGITS else _HEAD
    at_once = min(logits, in_parts) * a_logit[bf16]
    return MemoryUse(
        weights=_weights(form) // pieces,
        gradients=4 * form.trained // pieces,
        optimizer=8 * form.trained // pieces,
        casts=2 * form.matrices if cast else 0,
        gathered=_gathered(form) if pieces > 1 else 0,
        activations=round(kept),
        spare=round(SPARE * kept),
        logits=at_once + (2 * form.vocabulary * form.width if cast else 0),
    )


def sampler_memory(
    form: ModelShape, *, rows: int, new_tokens: int, prompt: int, shared: int = 0, prefill: int = 8192, bf16: bool,
    moments: bool = False, pieces: int = 1,
) -> MemoryUse:  # fmt: skip
    """The peak of the local sampler's fast path, in one process.

    Args:
        rows: samples that decode at once.
        new_tokens: the limit of a completion.
        prompt: tokens of a prompt, behind the ``shared`` ones that all begin with.
        prefill: prompt tokens that run at once.
        bf16: whether it computes in bfloat16.
        moments: whether an optimiser's are there, as they are once an update was made.
        pieces: of the weights and moments, in as many processes; the weights are whole besides.
    """
    size = 2 if bf16 else 4
    column = 2 * form.layers * form.keys * size
    running = min(prefill, rows * prompt) * (4 * form.width + size * (2 * form.inner + form.queries + 2 * form.keys))
    head = form.vocabulary * form.width
    return MemoryUse(
        weights=_weights(form),
        gathered=_weights(form) // pieces if pieces > 1 else 0,
        optimizer=8 * form.trained // pieces if moments else 0,
        casts=size * (form.matrices + head) + (0 if size == form.weight_bytes else size * head),
        activations=running,
        logits=rows * form.vocabulary * _DRAWN,
        cache=column * (rows * (prompt + new_tokens + 64) + shared),
    )


def cache_bytes(model: nn.Module, dtype: torch.dtype) -> int | None:
    """Of the keys and values of a token; None for a model without any."""
    form = ModelShape.of(model)
    return 2 * form.layers * form.keys * dtype.itemsize or None


def available() -> int | None:
    """Bytes that are free on the device that computes, or of this machine for each process of the run on it.

    None where nobody says.
    """
    if best_device().type == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, for what comes next
        return int(torch.cuda.mem_get_info()[0]) + kept
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 2**10 // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def most_tokens(need: Callable[[int], int], bytes_free: int) -> int:
    """The largest micro-batch, in tokens, whose need in bytes is met; 0 where not even that of one token is."""
    low, high = 0, 2**22
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if need(middle) <= bytes_free else (low, middle - 1)
    return low


def _gathered(form: ModelShape) -> int:
    """What is whole for as long as it computes: embeddings and head, a layer and the one that is fetched meanwhile."""
    parameters = form.parameters - form.matrices + 2 * form.matrices // form.layers
    return _BUFFERS * parameters * (_weights(form) + 4 * form.trained) // form.parameters


def _weights(form: ModelShape) -> int:
    """Those that are trained are float32."""
    return form.frozen_bytes + form.trained * torch.float32.itemsize
