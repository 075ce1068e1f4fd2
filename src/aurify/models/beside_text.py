"""Models that see or hear have parts that text alone never runs: their image and sound towers, and what joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from torch import nn

T = TypeVar("T")
_OTHER_CLASS = "Unrecognized configuration class"


def by_either_class(make: Callable[[Any], T]) -> T:
    """What ``make`` gives of the Auto class of language models, or of those with images.

    Some families are known to transformers in the second form alone: Mistral 3, Qwen2.5-VL.
    """
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    try:
        return make(AutoModelForCausalLM)
    except ValueError as error:
        if _OTHER_CLASS not in str(error):
            raise
        try:
            return make(AutoModelForImageTextToText)
        except ValueError as other:
            raise error if _OTHER_CLASS in str(other) else other from None


def parts_beside_text(model: Any) -> list[tuple[str, nn.Module]]:
    """The topmost parts, by name, that are outside of the language model of one that takes more than text."""
    if model.config.get_text_config() is model.config:
        return []
    language = model.get_decoder()
    kept = {id(part) for part in (language, model.get_input_embeddings(), model.get_output_embeddings())}
    return list(_outside(model, "", kept)) if isinstance(language, nn.Module) else []


def layers_beside_text(model: Any) -> list[str]:
    """The names of the linear layers in these parts, as PEFT takes them in ``exclude_modules``."""
    return [
        f"{name}.{inner}" if inner else name
        for name, part in parts_beside_text(model)
        for inner, layer in part.named_modules()
        if isinstance(layer, nn.Linear)
    ]


def said_of_parts(model: Any, config: Any) -> str:
    """A line for the user, or nothing where all of the model reads and writes text; ``config`` is the whole's."""
    if type(model.config) is not type(config) and type(model.config) is type(config.get_text_config()):
        return "the language model alone is loaded, as transformers has it: what is saved whole has no part for images"
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in parts_beside_text(model)}
    names = ", ".join(name for name, size in sizes.items() if size)
    share = sum(sizes.values()) / sum(p.numel() for p in model.parameters())
    return f"left as it is, since text does not run it: {names} ({share:.0%} of the model)" if names else ""


def _outside(module: nn.Module, name: str, kept: set[int]) -> Iterator[tuple[str, nn.Module]]:
    for own, child in module.named_children():
        if id(child) in kept:
            continue
        path = f"{name}.{own}" if name else own
        if any(id(inner) in kept for inner in child.modules()):
            yield from _outside(child, path, kept)
        else:
            yield path, child
