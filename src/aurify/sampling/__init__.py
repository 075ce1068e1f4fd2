"""Samplers: prompts as token ids in, completions with their log-probabilities out.

A sampler is anything with the ``sample`` method of :class:`Sampler`. :class:`LocalSampler` runs a Hugging Face model
in this process; its draws are exact, seeded a sample, and agree with the trainer's log-probabilities.

``SAMPLERS`` gives each a word of ``--sampler``, by a factory that owns its settings. A sampler is one file here and one
line there, or a factory of anybody's, chosen as ``module:Class`` or brought by a distribution under the entry-point
group ``aurify.samplers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aurify.on_demand import on_demand
from aurify.registry import Registry
from aurify.sampling.protocol import Completion, FinishReason, OnCompletion, Prompt, Sampler

if TYPE_CHECKING:
    from aurify.sampling.factory import Occasion, SamplerFactory
    from aurify.sampling.local import LocalSampler

SAMPLERS: Registry[SamplerFactory] = Registry(
    "sampler",
    base="aurify.sampling.factory:SamplerFactory",
    group="aurify.samplers",
    entries={
        "local": "aurify.sampling.local_factory:Local",
        "vllm": "aurify.sampling.vllm.factory:Vllm",
    },
)

__all__ = [
    "SAMPLERS",
    "Completion",
    "FinishReason",
    "LocalSampler",
    "Occasion",
    "OnCompletion",
    "Prompt",
    "Sampler",
    "SamplerFactory",
]

# Torch and transformers are imported only when the local sampler is asked for.
__getattr__ = on_demand(__name__, {"LocalSampler": "local", "Occasion": "factory", "SamplerFactory": "factory"})
