"""The settings that every command has which asks a model: one description, one check."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aurify.parsing import parse_json

PromptName = Literal["auto", "plain", "chat", "direct"]

PROMPT = (
    "The prompt's form: plain, the model's chat, or direct (the answer alone); auto: the form that aurify trained the "
    "model with, else a chat where the model was made for its chat template, else plain."
)
FEW_SHOT = "A file of worked examples put before every question; in a chat they are turns."
LENGTH = "Token limit of a rationale; longer ones are cut and wrong"


def _json_object(text: str | None) -> str | None:
    try:
        fields = parse_json(text) if text else {}
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise ValueError('expected a JSON object such as {"enable_thinking": false}')
    return text


def memory_size(text: str) -> int:
    """Bytes: ``24GB``, ``500MiB``.

    Raises:
        ValueError: it is no such size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", text.strip(), re.IGNORECASE)
    unit = (1024 if found[3] else 1000) ** ("KMGT".index(found[2].upper()) + 1) if found else 0
    size = float(found[1]) * unit if found else 0.0
    if not 1 <= size < 2**63:
        raise ValueError("expected a size such as 24GB or 500MiB")
    return round(size)


def _is_a_size(text: str | None) -> str | None:
    if text is not None:
        memory_size(text)
    return text


WeightsDtype = Annotated[
    Literal["auto", "float32", "bfloat16"],
    Field(
        description="Of the weights: float32 or bfloat16; auto: bfloat16 for models above 50M parameters where the "
        "device is fast in it, else float32."
    ),
]
Sharding = Annotated[
    Literal["none", "full_shard"],
    Field(
        description="Of several processes (torchrun): none: each holds the whole model; full_shard: weights, gradients "
        "and optimiser lie in pieces, one a process, while the model is trained; it is whole while it draws."
    ),
]
StalledAfter = Annotated[
    int,
    Field(
        ge=1,
        le=6 * 3600,
        description="Of several processes: seconds without progress after which one that others wait for ends the run.",
    ),
]
System = Annotated[str | None, Field(description="A chat's system message [the chat template's own, if any]")]
TemplateArgs = Annotated[
    str | None,
    Field(description='Further arguments of the chat template, as JSON: {"enable_thinking": false}.'),
    AfterValidator(_json_object),
]
MemorySize = Annotated[
    str | None,
    Field(
        description="Memory that a step may take, as 24GB or 500MiB: micro-batches get smaller, and fewer samples are "
        "drawn at a time, where the prediction is more [what is free]"
    ),
    AfterValidator(_is_a_size),
]
