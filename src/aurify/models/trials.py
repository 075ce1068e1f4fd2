"""Trials of a model on a few tokens, which decide how it is computed; exact in any dtype of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from aurify.models.prefix import causal_lm, last_states, next_token_logits

_LOW = (torch.bfloat16, torch.float16)
_IDS = (3, 2, 4, 3)


@contextmanager
def trial(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, without gradients and without autocast; then as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    device = next(model.parameters()).device.type
    try:
        with torch.no_grad(), torch.autocast(device, enabled=False):
            yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def in_float32() -> Iterator[None]:
    """Everything inside is computed in float32, the weights one by one as they are used.

    In bfloat16 the noise of two ways to compute one thing is as large as the difference of two different things.
    """
    with _InFloat32(), _ConvolutionsInFloat32():  # type: ignore[no-untyped-call]  # torch's base has no types
        yield


class _InFloat32(TorchDispatchMode):  # type: ignore[no-untyped-call]  # as above
    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return func(*tree_map(_raised, tuple(args)), **tree_map(_raised, dict(kwargs or {})))


class _ConvolutionsInFloat32(TorchFunctionMode):
    """torch compares the dtypes of a convolution's inputs before it dispatches."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is nn.functional.conv1d:
            args, kwargs = tree_map(_raised, tuple(args)), tree_map(_raised, kwargs)
        return func(*args, **kwargs)


def _raised(value: Any) -> Any:
    if isinstance(value, Tensor) and value.dtype in _LOW:
        return value.float()
    return torch.float32 if isinstance(value, torch.dtype) and value in _LOW else value


def head_is_plain(model: nn.Module) -> bool:
    """Whether the logits are the output layer's product with the last hidden states, and nothing more.

    For a moment the output layer gives large numbers that are known: what is multiplied, capped or shifted comes out
    as others. What it reads must be the last hidden states.
    """
    head = causal_lm(model).get_output_embeddings()
    if type(head) is not nn.Linear:
        return False
    read: list[Tensor] = []

    def known(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        read.append(inputs[0])
        return torch.linspace(-300, 300, output.shape[-1], device=output.device).to(output.dtype).expand_as(output)

    ids_1T = torch.tensor([_IDS], device=head.weight.device)
    handle = head.register_forward_hook(known)
    try:
        with trial(model):
            logits_1TV = next_token_logits(model, ids_1T).float()
            states_1TE = last_states(model, ids_1T)
    except Exception:  # a forward of another form fails in its own way
        return False
    finally:
        handle.remove()
    row_V = torch.linspace(-300, 300, logits_1TV.shape[-1], device=logits_1TV.device).to(head.weight.dtype).float()
    if len(read) != 1 or read[0].shape != states_1TE.shape or logits_1TV.shape[-1] != head.out_features:
        return False
    close = torch.allclose(read[0].float(), states_1TE.float(), rtol=1e-3, atol=1e-5)
    return bool(close and torch.equal(logits_1TV, row_V.expand_as(logits_1TV)))
