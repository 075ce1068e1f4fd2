"""A base model in 4 bits a weight, for LoRA on top of it (QLoRA: Dettmers et al. 2023, arXiv 2305.14314)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

from aurify.errors import UsageError

Quantize = Literal["4bit"]


def quantization(kind: Quantize, dtype: Any) -> dict[str, Any]:
    """The argument by which transformers quantises linear layers as it loads them.

    NormalFloat in blocks of 64 weights, their scales quantised too. Embeddings, norms and the output layer stay.

    Args:
        dtype: torch's, in which products are computed.

    Raises:
        UsageError: the package bitsandbytes is not installed.
    """
    if find_spec("bitsandbytes") is None:
        raise UsageError(f"--quantize {kind} needs the package bitsandbytes: pip install 'aurify[quantize]'")
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    }  # fmt: skip


def check_trainable(model: Any, name: str) -> None:
    """Refuse to train a model that was stored in a form that no gradient passes.

    Raises:
        UsageError: it was.
    """
    how = stored_as(model)
    if how and not model.hf_quantizer.is_trainable:
        raise UsageError(
            f"--model {name}: its weights are stored quantised ({how}), in a form that no gradient passes: name the "
            "model that it was made from"
        )


def stored_as(model: Any) -> str:
    """The word of the quantisation that a model's weights are in; empty where they are in none."""
    config = getattr(getattr(model, "hf_quantizer", None), "quantization_config", None)
    if not getattr(model, "is_quantized", False) or config is None or getattr(config, "dequantize", False):
        return ""
    method = config.quant_method
    return str(getattr(method, "value", method))


def keep_differentiable(model: Any) -> None:
    """Turn off what bitsandbytes does on some CPUs in evaluation mode: it packs weights in a form without gradients.

    Everything below the last such layer would then be trained on wrong gradients, without an error.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
