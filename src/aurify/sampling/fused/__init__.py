"""The fast path of the local sampler, for Llama- and Qwen-style models: the same samples, fewer and larger calls."""

from aurify.sampling.fused.engine import FusedEngine
from aurify.sampling.fused.weights import Weights, weights_of

__all__ = ["FusedEngine", "Weights", "weights_of"]
