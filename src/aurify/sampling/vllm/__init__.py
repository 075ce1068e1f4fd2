"""Sampling from a vLLM server over HTTP: a running one, or one that is started here and ends with this process.

vLLM's arithmetic differs from the trainer's in the last digits, and with what it batches together. So its draws are
samples of almost the trained model: declared wherever they are used, and measured (``sampling.agreement``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand

if TYPE_CHECKING:
    from aurify.sampling.vllm.client import VllmSampler
    from aurify.sampling.vllm.connect import fixed_sampler, trained_sampler
    from aurify.sampling.vllm.trained import TrainedSampler

__all__ = ["TrainedSampler", "VllmSampler", "fixed_sampler", "trained_sampler"]

# Torch is imported only when a sampler is asked for; a server can be had without it.
__getattr__ = on_demand(
    __name__, {**dict.fromkeys(__all__, "connect"), "VllmSampler": "client", "TrainedSampler": "trained"}
)
