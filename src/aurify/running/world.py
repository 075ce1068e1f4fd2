"""The processes of a run, over accelerate: work is dealt out, results come back in order, gradients are summed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch

from aurify.errors import UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")


def _has_accelerator() -> bool:
    """Whether processes can have devices of their own here; Apple's GPU is one for all."""
    found = torch.accelerator.current_accelerator() if hasattr(torch, "accelerator") else None
    return torch.cuda.is_available() or (found is not None and found.type not in ("cpu", "mps"))


class World:
    """One process of ``size``; with one process every method is a plain call.

    Gradients are summed, never averaged: the terms carry the global normaliser. So the world size changes nothing.
    """

    def __init__(self, *, track: Sequence[str] = (), folder: str | None = None) -> None:
        from accelerate import Accelerator

        for name in track:
            if importlib.util.find_spec(name) is None:  # accelerate would leave it out without a word
                raise UsageError(f"--track {name}: not installed: pip install 'aurify[{name}]'")
        launched = int(os.environ.get("WORLD_SIZE", "1"))
        self._accelerator = Accelerator(
            log_with=list(track) or None, project_dir=folder,
            cpu=launched > 1 and not _has_accelerator(),  # else each of torchrun's processes would be alone
        )  # fmt: skip
        if self._accelerator.num_processes != launched:
            raise UsageError(
                f"{launched} processes were launched and {self._accelerator.num_processes} found each other: start "
                "them with torchrun or accelerate launch, one for each device"
            )
        self._wanted, self._tracking = bool(track), False

    @property
    def device(self) -> torch.device:
        device: torch.device = self._accelerator.device
        return device

    @property
    def main(self) -> bool:
        """Whether this process writes the files and speaks to the user."""
        return bool(self._accelerator.is_main_process)

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return bool(self._accelerator.num_processes == 1)

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's part of the items."""
        return list(items[self._accelerator.process_index :: self._accelerator.num_processes])

    def map(self, function: Callable[[list[Item]], Sequence[Result]], items: Sequence[Item]) -> list[Result]:
        """``function`` of all items, each process doing its part; every process gets all results in order."""
        mine = function(self.share(items))
        if self._accelerator.num_processes == 1:
            return list(mine)
        from accelerate.utils import gather_object

        rank, size = self._accelerator.process_index, self._accelerator.num_processes
        gathered = gather_object([(rank + i * size, result) for i, result in enumerate(mine)])
        return [result for _, result in sorted(gathered, key=lambda pair: pair[0])]

    def once(self, function: Callable[[], Result]) -> Result:
        """What ``function`` gives in the main process, which alone calls it; every process gets it."""
        (result,) = self.map(lambda mine: [function() for _ in mine], [None])
        return result

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        return any(self.map(lambda _: [flag], range(self._accelerator.num_processes)))

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes; one in pieces is that already."""
        from torch.distributed.tensor import DTensor

        if self.alone:
            return
        for parameter in parameters:
            if isinstance(parameter, DTensor):
                continue
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.copy_(self._accelerator.reduce(parameter.grad, reduction="sum"))

    def shard(self, model: torch.nn.Module) -> str:
        """Cut a model into pieces, one a process (see ``models.sharding``); what was done, in words.

        Raises:
            UsageError: it has no layers that torch could shard.
        """
        if self.alone:
            return "--fsdp: nothing to share among one process: start several by torchrun --nproc-per-node N -m aurify"
        from torch.distributed.device_mesh import init_device_mesh

        from aurify.models.logprobs import takes_packs
        from aurify.models.sharding import join, shard

        takes_packs(model, [((0,), (0,))])  # how it computes is tried while its weights are whole
        size = self._accelerator.num_processes
        shard(model, init_device_mesh(self.device.type, (size,)))
        join(model)
        return f"fsdp: weights, gradients and optimiser lie in {size} pieces while the model is trained"

    def wait(self) -> None:
        """Until every process is here."""
        self._accelerator.wait_for_everyone()

    def start_trackers(self, config: dict[str, Any]) -> None:
        """Tell the trackers, if any were asked for, what is run."""
        if self._wanted:
            plain = {key: value for key, value in config.items() if isinstance(value, (int, float, str, bool))}
            self._accelerator.init_trackers("aurify", config=plain)
            self._tracking = True

    def track(self, values: dict[str, float], step: int) -> None:
        """Send the numbers of a step to the trackers."""
        if self._tracking:
            self._accelerator.log(values, step=step)

    def close(self) -> None:
        """Finish the trackers."""
        if self._tracking:
            self._accelerator.end_training()
