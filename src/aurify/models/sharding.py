"""A model whose weights lie in pieces, one a process, while it is trained, and whole while it draws.

By torch's ``fully_shard``: in pieces (``split``), a layer's weights are gathered for as long as it computes, and its
gradient is summed over the processes and cut as it arises; the optimiser holds the same cut. Each pass is one of all
processes, so all make the same number of them (``even``). Drawing takes as many passes as a rationale has tokens, so it
has whole weights (``join``): copies of the pieces, which are the truth. Of a model that was not sharded all this is
nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from aurify.errors import UsageError
from aurify.pulse import give

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

Result = TypeVar("Result")

_SHARDS = "_aurify_shards"


class _Root(nn.Module):
    """Holds a model, so that what computes with it by any way of its own is a forward pass to torch."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], Any]) -> Any:
        return work()


class _Shards:
    """The pieces of a model, and where they belong."""

    def __init__(self, model: nn.Module, mesh: DeviceMesh) -> None:
        from torch.distributed.fsdp import FSDPModule, fully_shard
        from torch.distributed.tensor import DTensor
        from transformers.modeling_layers import GradientCheckpointingLayer

        layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
        if not layers:
            raise UsageError(f"--fsdp: {type(model).__name__} has no layers that torch could shard; leave it out")
        if not hasattr(FSDPModule, "set_reduce_scatter_unused_params"):
            raise UsageError(f"--fsdp: torch {torch.__version__} is too old for it; 2.13 is not")
        self.root = _Root(model)
        for module in (*reversed(layers), self.root):
            # the root too: else its weights stay gathered after a pass without gradients, and grow old
            sharded = fully_shard(module, mesh=mesh, reshard_after_forward=True)
            sharded.set_gradient_divide_factor(1.0)  # the terms carry the global normaliser
            sharded.set_force_sum_reduction_for_comms(True)  # else torch asks gloo for a sum that gloo does not know
            sharded.set_reduce_scatter_unused_params(True, recurse=False)  # an expert may be idle in one process alone
        self.hooks = [(layer, layer._forward_pre_hooks, layer._forward_hooks) for layer in layers]
        self.pieces = [
            (module, name, parameter)
            for module in model.modules()
            for name, parameter in module._parameters.items()
            if parameter is not None and isinstance(parameter, DTensor)
        ]
        self.piece_of: dict[nn.Parameter, nn.Parameter] = {}
        self.split = True

    def divide(self) -> None:
        """See ``split``."""
        for whole, piece in self.piece_of.items():
            piece.requires_grad_(whole.requires_grad)
        for module, name, piece in self.pieces:
            module._parameters[name] = piece
        for layer, before, after in self.hooks:
            layer._forward_pre_hooks, layer._forward_hooks = before, after
        self.piece_of.clear()
        self.split = True

    @torch.no_grad()
    def gather(self) -> None:
        """See ``join``."""
        self.divide()  # the copies of before need not be there beside the new ones
        whole: dict[nn.Parameter, nn.Parameter] = {}  # tied weights are one
        for module, name, piece in self.pieces:
            if piece not in whole:
                whole[piece] = nn.Parameter(whole_tensor(piece), requires_grad=piece.requires_grad)
            module._parameters[name] = whole[piece]
        self.piece_of = {parameter: piece for piece, parameter in whole.items()}
        for layer, _, _ in self.hooks:
            layer._forward_pre_hooks, layer._forward_hooks = OrderedDict(), OrderedDict()
        self.split = False


def shard(model: nn.Module, mesh: DeviceMesh) -> None:
    """Cut the weights, which every process holds whole, into pieces; each process keeps its own.

    Raises:
        UsageError: the model has no layers that are known to be some.
    """
    setattr(model, _SHARDS, _Shards(model, mesh))


def split(model: nn.Module) -> None:
    """Have the model compute with the pieces; whole weights, if there are any, are forgotten."""
    if shards := _of(model):
        shards.divide()
        give("in step")


def join(model: nn.Module) -> None:
    """Make it a plain model with whole weights, as the pieces now are. All processes do it together."""
    if shards := _of(model):
        shards.gather()
        give("apart")


@torch.no_grad()
def put_back(model: nn.Module) -> None:
    """Have the pieces take what was changed of the whole weights, alike in every process."""
    if shards := _of(model):
        for whole, piece in shards.piece_of.items():
            piece.copy_(laid_as(piece, whole))


def named_pieces(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters by name, each once; of a sharded model its pieces, which last, whatever it computes with."""
    shards = _of(model)
    for name, parameter in model.named_parameters():
        yield name, shards.piece_of.get(parameter, parameter) if shards else parameter


def in_pieces(model: nn.Module) -> bool:
    """Whether it computes with pieces now, so that each pass is one of all processes."""
    shards = _of(model)
    return shards is not None and shards.split


def within(model: nn.Module, work: Callable[[], Result]) -> Result:
    """What ``work`` computes with the model's weights, one pass: they are gathered as it needs them."""
    shards = _of(model)
    together = shards is not None and shards.split
    give("pass" if together else "moved")
    result: Result = shards.root(work) if shards and together else work()
    return result


def even(model: nn.Module, groups: Sequence[list[int]]) -> list[list[int]]:
    """The groups, with empty ones at the end, so that all processes have as many where each is a pass of them all."""
    if not in_pieces(model):
        return list(groups)
    count = torch.tensor(len(groups), device=next(model.parameters()).device)
    torch.distributed.all_reduce(count, torch.distributed.ReduceOp.MAX)
    return [*groups, *([] for _ in range(int(count) - len(groups)))]


def whole_tensor(tensor: Tensor) -> Tensor:
    """A tensor that may lie in pieces, whole; then all processes ask for it together."""
    full: Callable[[], Tensor] | None = getattr(tensor, "full_tensor", None)
    return full() if full else tensor


def own_piece(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor that may lie in pieces."""
    local: Callable[[], Tensor] | None = getattr(tensor, "to_local", None)
    return local() if local else tensor


def laid_as(parameter: Tensor, whole: Tensor) -> Tensor:
    """A whole tensor of a parameter's shape, laid out as the parameter is, on its device."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    whole = whole.to(parameter.device)
    if not isinstance(parameter, DTensor):
        return whole
    return distribute_tensor(whole, parameter.device_mesh, parameter.placements, src_data_rank=None)


def _of(model: nn.Module) -> _Shards | None:
    shards: _Shards | None = model.__dict__.get(_SHARDS)
    return shards
