"""Samplers: prompts as token ids in, completions with their log-probabilities out.

A sampler is anything with the ``sample`` method of :class:`Sampler`. :class:`LocalSampler` runs a Hugging Face model
in this process; its draws are exact, seeded a sample, and agree with the trainer's log-probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aurify.sampling.protocol import Completion, FinishReason, OnCompletion, Prompt, Sampler

if TYPE_CHECKING:
    from aurify.sampling.local import LocalSampler

__all__ = ["Completion", "FinishReason", "LocalSampler", "OnCompletion", "Prompt", "Sampler"]


def __getattr__(name: str) -> Any:
    """Torch and transformers are imported only when the local sampler is asked for."""
    if name == "LocalSampler":
        from aurify.sampling.local import LocalSampler

        return LocalSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
