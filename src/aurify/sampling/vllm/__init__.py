"""Sampling from a vLLM server over HTTP: a running one, or one that is started here and ends with this process.

vLLM's arithmetic differs from the trainer's in the last digits, and with what it batches together. So its draws are
samples of almost the trained model: declared wherever they are used, and measured (``agreement``).
"""

from aurify.sampling.vllm.client import VllmSampler
from aurify.sampling.vllm.connect import fixed_sampler, trained_sampler
from aurify.sampling.vllm.server import Server, ServerPlan
from aurify.sampling.vllm.trained import TrainedSampler

__all__ = ["Server", "ServerPlan", "TrainedSampler", "VllmSampler", "fixed_sampler", "trained_sampler"]
