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


def keep_differentiable(model: Any) -> None:
    """Turn off what bitsandbytes does on some CPUs in evaluation mode: it packs weights in a form without gradients.

    Everything below the last such layer would then be trained on wrong gradients, without an error.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
