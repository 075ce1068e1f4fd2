"""Which dtype a model gets where nothing is said: bfloat16 for large ones, on devices that are fast in it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aurify.models.beside_text import by_either_class
from aurify.models.gguf import gguf_source
from aurify.models.load import base_name
from aurify.models.tuning import FULL_TUNING_LIMIT
from aurify.models.untrusted import pretrained, reading

if TYPE_CHECKING:
    import torch

WORTH = 1.5
"""How many times as fast as float32 bfloat16 must be: samples in it are almost exact, those in float32 are."""
_SHAPE = (64, 1024, 4096)
"""Of the matrix product that is timed: rows, as many as decode at once, inputs and outputs of a layer."""
_LARGE_SHAPE = (4096, 4096, 4096)
"""The same on an accelerator, which the small one would keep busy for less time than it takes to be asked."""
_REPEATS = 5


def settle_dtype(dtype: str, model: str, *, full: bool = False, say: Callable[[str], None]) -> str:
    """The dtype that stands for "auto"; any other stays what it is, and what it costs on a device slow in it is said.

    Models below 50 million parameters are float32, as they are fast anyhow. Larger ones are bfloat16 on a device whose
    bfloat16 products are fast; tuned in full, "mixed", since their weights must be float32.

    Args:
        model: a folder, hub name, GGUF file or adapter.
        full: whether all its weights are trained.
        say: is told what was measured and chosen.
    """
    if dtype == "float32":
        return dtype
    if count_parameters(model) < FULL_TUNING_LIMIT:
        return "float32" if dtype == "auto" else dtype
    ratio = bfloat16_speedup()
    if dtype != "auto":
        if ratio < 1 / WORTH:
            say(f"dtype: {dtype}, whose products take {1 / ratio:.1f} times as long as those of --dtype float32 here")
        return dtype
    if ratio < WORTH:
        say(f"dtype: float32 (bfloat16 products are {ratio:.1f} times as fast here)")
        return "float32"
    chosen = "mixed" if full else "bfloat16"
    say(f"dtype: {chosen} (bfloat16 products are {ratio:.1f} times as fast as float32 here); --dtype sets another")
    return chosen


@lru_cache
def bfloat16_speedup() -> float:
    """How many times as fast as float32 this device multiplies matrices in bfloat16: the median of a few, once."""
    import torch

    from aurify.models.device import best_device

    device = best_device()
    rows, inner, outer = _SHAPE if device.type == "cpu" else _LARGE_SHAPE
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    operands = {
        kind: (torch.ones(rows, inner, dtype=kind, device=device), torch.ones(outer, inner, dtype=kind, device=device))
        for kind in times
    }
    with torch.inference_mode():
        for _ in range(1 + _REPEATS):
            for kind, (left, right) in operands.items():
                begun = time.perf_counter()
                for _ in range(4):
                    product = torch.nn.functional.linear(left, right)
                float(product[0, 0])  # waits for the device
                times[kind].append(time.perf_counter() - begun)
    float32, bfloat16 = (statistics.median(seconds[1:]) for seconds in times.values())
    return float32 / bfloat16


def count_parameters(model: str) -> int:
    """How many weights a model has, from its configuration alone; of a GGUF file, from its list of tensors.

    Raises:
        AurifyError: there is no such model, or its configuration cannot be read.
    """
    import torch
    from transformers import AutoConfig

    base = base_name(model)
    with reading(f"--model {model}: cannot be loaded"):
        if source := gguf_source(base):
            return _in_gguf(source)
        config = pretrained(AutoConfig, base)
        with torch.device("meta"):
            empty: Any = by_either_class(lambda auto: auto.from_config(config, trust_remote_code=False))
    return sum(parameter.numel() for parameter in empty.parameters())


def _in_gguf(source: dict[str, str]) -> int:
    from gguf import GGUFReader
    from transformers.utils import cached_file

    path = cached_file(source["pretrained_model_name_or_path"], source["gguf_file"])
    return sum(int(tensor.n_elements) for tensor in GGUFReader(str(path)).tensors)
