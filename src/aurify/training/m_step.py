"""The M-step: ascend sum_i w_i log p(z_i | x_i), the same for every method.

The weights come with their normaliser, so the loss is linear in the terms: how they are cut into micro-batches,
or spread over processes, never changes the gradient.

Source: docs/methods.md, "The gradient (M-step)".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from aurify.errors import AurifyError, UsageError
from aurify.methods import Term
from aurify.models.autocast import products_in_bfloat16
from aurify.models.logprobs import batches, sequence_logprobs
from aurify.models.prefix import causal_lm
from aurify.models.sharding import whole_tensor

MOST_IMPORTANCE = 2.0
"""The ratio of two weights' probabilities with which a term counts at most: truncated, as the ratios of long sequences
have a large variance (E. Ionides (2008), Truncated importance sampling, JCGS 17 (2), 295-311)."""
CLIP = 1.0
"""The global norm that gradients are clipped to where the rate alone bounds a step, and no other is given."""


def accumulate_gradient(
    model: torch.nn.Module,
    terms: Sequence[Term],
    prompts: Mapping[str, tuple[int, ...]],
    *,
    pad_token_id: int,
    token_budget: int,
    bf16: bool = False,
) -> list[float]:
    """Add the gradient of -sum_i w_i log p(z_i | x_i) to the parameters' ``grad``.

    A term that other weights drew counts with min(``MOST_IMPORTANCE``, p(z_i | x_i) / p_drawn(z_i | x_i)) w_i, the
    ratio held fixed. These ratios are returned.

    Args:
        terms: what to ascend; their weights may be negative.
        prompts: token ids of every question's prompt, by question id.
        token_budget: tokens a micro-batch.
        bf16: run the forward pass in bfloat16 where autocast does; the gradient stays in the parameters' own dtype.

    Raises:
        AurifyError: a term has no tokens, or a log-probability is not finite; the message names the questions.
    """
    if empty := sorted({term.question_id for term in terms if not term.token_ids}):
        raise AurifyError(f"nothing to learn from in a rationale of no tokens: {', '.join(empty)}")
    terms = [term for term in terms if term.weight != 0]
    sequences = [(prompts[term.question_id], term.token_ids) for term in terms]
    bad: set[str] = set()
    ratios: list[float] = []
    for indices in batches(model, sequences, token_budget):
        with products_in_bfloat16(model, bf16):
            logprobs_N = sequence_logprobs(model, [sequences[i] for i in indices], pad_token_id=pad_token_id)
        bad |= {
            terms[i].question_id
            for i, finite in zip(indices, logprobs_N.isfinite().tolist(), strict=True)
            if not finite
        }
        weights_N = torch.tensor([terms[i].weight for i in indices], dtype=logprobs_N.dtype, device=logprobs_N.device)
        drawn_N = logprobs_N.new_tensor([math.nan if (at := terms[i].drawn) is None else at for i in indices])
        ratio_N = (logprobs_N.detach() - drawn_N).exp().clamp(max=MOST_IMPORTANCE)
        ratios += ratio_N[~drawn_N.isnan()].tolist()
        torch.autograd.backward(-(weights_N * ratio_N.nan_to_num(1.0) * logprobs_N).sum())
    if bad:  # not before, since other processes may take part in each pass
        raise AurifyError(
            f"the log-probability of a rationale is not finite for {', '.join(sorted(bad))}: "
            "the weights have diverged; resume from an earlier checkpoint with a lower --lr"
        )
    return ratios


def checkpoint_layers(model: torch.nn.Module) -> None:
    """Forget the activations inside each layer, and compute them again in the backward pass.

    transformers does so for layers in training mode alone; here the layers are in it, but not while they compute, nor
    is what they hold: some layers (OPT's, BioGPT's, XGLM's) have a dropout of their own.

    Raises:
        UsageError: the model has no such layers.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if not layers:
        raise UsageError(f"--gradient-checkpointing: {type(model).__name__} has no layers that can do it; leave it out")
    lm = causal_lm(model)
    enable = getattr(lm, "activation_checkpointing_enable", None) or lm.gradient_checkpointing_enable
    enable({"use_reentrant": False})
    for layer in layers:
        layer._gradient_checkpointing_func = _without_dropout(layer, layer._gradient_checkpointing_func)
        layer.training = True


def _without_dropout(layer: torch.nn.Module, checkpoint: Callable[..., Any]) -> Callable[..., Any]:
    """``checkpoint`` of a forward in which the layer is in evaluation mode, the second time too."""

    def call(forward: Callable[..., Any], *args: Any) -> Any:
        def still(*inputs: Any) -> Any:
            layer.training = False
            try:
                return forward(*inputs)
            finally:
                layer.training = True

        return checkpoint(still, *args)

    return call


def ascend(
    optimizer: torch.optim.Optimizer, parameters: Sequence[torch.nn.Parameter], *, rate: float, clip: float
) -> float:
    """One optimiser step on the accumulated gradient, clipped by its global norm; the norm before is returned.

    Raises:
        AurifyError: the norm is not finite.
    """
    norm = clip_gradient(parameters, clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm


def clip_gradient(parameters: Sequence[torch.nn.Parameter], limit: float, *, scale: float = 1.0) -> float:
    """Multiply the gradient by ``scale``, clip it by its global norm, and return the norm that it had before.

    Raises:
        AurifyError: the norm is not finite.
    """
    if scale != 1.0:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(scale)
    norm = float(whole_tensor(torch.nn.utils.clip_grad_norm_(parameters, limit))) / scale
    if not math.isfinite(norm):
        raise AurifyError("the gradient is not finite: resume from an earlier checkpoint with a lower --lr")
    return norm


def build_optimizer(
    parameters: Sequence[torch.nn.Parameter], kind: str, *, rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Adam for soft prompts, as in the TRICE paper; AdamW for LoRA and full weights."""
    if kind == "prompt":
        return torch.optim.Adam(parameters, lr=rate)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=weight_decay)
