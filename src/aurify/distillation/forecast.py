"""What a distillation will take of the memory, said before its first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aurify.distillation.settings import DistillSettings
from aurify.models.memory import SPARE, Kind, MemoryUse, ModelShape, update_memory
from aurify.models.nat.model import dual_layers
from aurify.models.nat.unit import IntegrationUnit
from aurify.training.forecast import WORTH_SAYING, Forecast, fitted

_KEPT_BY_OUTPUT, _KEPT_BY_WIDTH = 12, 28
"""Bytes of a token that autograd keeps of a layer's unit, for each unit of the layer's output and of its own width;
counted over small models of ten shapes, on which they hold within 1 %. Half as many in bfloat16, where what is kept of
the whole model is then right within 12 %."""
_TAUGHT = 24
"""Bytes of a logit while a student learns a teacher's: both models' logits and probabilities, and the gradients."""


def forecast_distillation(
    settings: DistillSettings, model: Any, lengths: Sequence[int], *, shared: int = 0, processes: int = 1
) -> Forecast:
    """What an update takes at most; where that is more than there is, smaller micro-batches.

    There is what ``settings.fit`` says, else what is free here. Micro-batches change no result.

    Args:
        model: with its adapters, those trainable that the last stage trains, which takes the most.
        lengths: of every example, in tokens, its prompt included.
        shared: tokens that all prompts begin with, which a micro-batch holds once.
        processes: that share the work, and with ``settings.fsdp`` the weights; what is told is for one of them.

    Raises:
        UsageError: not even an update by one rationale at a time fits into ``settings.fit``.
    """
    if not lengths:
        return Forecast(settings.token_budget, [])
    own = [length - shared for length in lengths]
    batch = shared + sum(sorted(own, reverse=True)[: -(-settings.rationales // processes)])
    columns_a_token = 2 * sum(lengths) / sum(own) if shared else 1.0
    pieces = processes if settings.fsdp == "full_shard" else 1

    def update_by(budget: int) -> MemoryUse:
        tokens = min(budget, batch)
        return student_memory(settings, model, tokens, pieces, columns=round(tokens * columns_a_token))

    budget, lines = fitted(
        update_by, budget=settings.token_budget, smallest=max(lengths), fit=settings.fit,
        shorter="take a lower --max-tokens or --dtype bfloat16", otherwise="try a lower --max-tokens",
    )  # fmt: skip
    if (update := update_by(budget)).total >= WORTH_SAYING:
        each = "" if processes == 1 else f", in each of {processes} processes"
        lines.append(f"memory, predicted{each}: an update {update}")
    return Forecast(budget, lines)


def student_memory(
    settings: DistillSettings, model: Any, tokens: int, pieces: int = 1, *, columns: int | None = None
) -> MemoryUse:
    """The peak of an update by micro-batches of this many tokens, the weights in so many pieces.

    ``columns`` are the keys that their spans attend to [as many as tokens].
    """
    form = ModelShape.of(model)
    kind: Kind = "lora" if settings.lora_targets else "qv-lora"
    lowered = settings.dtype == "bfloat16"
    use = update_memory(form, kind, tokens=tokens, columns=columns, bf16=lowered, pieces=pieces)
    units = tokens * kept_by_units(model) // (2 if lowered else 1)
    return replace(
        use,
        activations=use.activations + units,
        spare=use.spare + round(SPARE * units),
        logits=tokens * form.vocabulary * _TAUGHT if settings.method in ("nce", "self-kd") else use.logits,
    )


def kept_by_units(model: Any) -> int:
    """Bytes of a token that autograd keeps of a NAT model's units, in float32."""
    units = [(layer.out_features, layer.unit) for layer in dual_layers(model).values()]
    return sum(
        _KEPT_BY_OUTPUT * outputs + _KEPT_BY_WIDTH * unit.query.out_features
        for outputs, unit in units
        if isinstance(unit, IntegrationUnit)
    )
