"""Models in GGUF files, the quantised form of llama.cpp: their weights are unpacked when they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.errors import AurifyError
from aurify.models.untrusted import pretrained

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def gguf_source(name: str) -> dict[str, str] | None:
    """What transformers' loaders want to know of a GGUF file: a local one, or ``hub/name:file.gguf``; else None.

    Raises:
        AurifyError: it is one, and the package ``gguf`` is not installed, or there is no such file.
    """
    if not name.lower().endswith(".gguf") or Path(name).is_dir():
        return None
    if find_spec("gguf") is None:
        raise AurifyError(f"--model {name}: a GGUF file needs the package gguf: pip install 'aurify[gguf]'")
    path = Path(name)
    if path.is_file():
        return {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    place, colon, file = name.rpartition(":")
    if colon and place and file:
        return {"pretrained_model_name_or_path": place, "gguf_file": file}
    raise AurifyError(f"--model {name}: no such file; one of the hub is written hub/name:file.gguf")


def load_gguf(name: str, dtype: str, say: Callable[[str], None]) -> PreTrainedModel:
    """An ordinary model with the unpacked weights, which can be trained and saved as any other.

    Its ``name_or_path`` is that of the file, so that an adapter on top of it finds it again.
    """
    import torch
    from transformers import AutoModelForCausalLM

    source = gguf_source(name)
    assert source is not None
    place = source.pop("pretrained_model_name_or_path")
    model = pretrained(AutoModelForCausalLM, place, dtype=getattr(torch, dtype), **source, **_unpacked())
    for attribute in ("hf_quantizer", "quantization_method", "is_quantized"):
        model.__dict__.pop(attribute, None)
    model.config.__dict__.pop("quantization_config", None)
    absolute = str(Path(name).resolve()) if Path(name).is_file() else name
    model.name_or_path = model.config.name_or_path = absolute
    count = sum(parameter.numel() for parameter in model.parameters())
    say(f"{name}: {count:,} weights unpacked from GGUF to {dtype}; what is trained from them is an ordinary model")
    return model


def _unpacked() -> dict[str, Any]:
    """The argument by which newer versions of transformers unpack the weights, as older ones always do."""
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}
