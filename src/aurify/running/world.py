"""The processes of a run, over accelerate: work is dealt out, results come back in order, gradients are summed.

What fails in one process ends all: an error in shared work is raised in all at the same place, and whatever else ends a
process is told by its watcher (``peers``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import torch

from aurify.errors import AurifyError, UsageError
from aurify.models.device import best_device
from aurify.pulse import heard_by, waiting
from aurify.running.interrupt import Interrupted, StopRequest
from aurify.running.peers import STALLED, Peers

Item = TypeVar("Item")
Result = TypeVar("Result")

WAITED_FOR = timedelta(hours=6)
"""How long a process waits for another one that lives: one that draws long rationales, or writes a large checkpoint."""
TOLD_WITHIN = 25.0
"""Seconds in which the watchers find out why a process is gone."""


def _on_cpu(launched: int) -> bool:
    """Whether accelerate must be told: else it takes Apple's GPU, and on CPUs leaves torchrun's processes alone."""
    return best_device().type == "cpu" and (launched > 1 or torch.accelerator.is_available())


class World:
    """One process of ``size``; with one process every method is a plain call.

    Gradients are summed, never averaged: the terms carry the global normaliser. So the world size changes nothing.

    ``stop`` is the wish to stop, which all processes have together.
    """

    def __init__(self) -> None:
        from accelerate import Accelerator, InitProcessGroupKwargs

        launched = int(os.environ.get("WORLD_SIZE", "1"))
        self._accelerator = Accelerator(
            cpu=_on_cpu(launched),
            kwargs_handlers=[InitProcessGroupKwargs(timeout=WAITED_FOR)],
        )  # fmt: skip
        if self._accelerator.num_processes != launched:
            raise UsageError(
                f"{launched} processes were launched and {self._accelerator.num_processes} found each other: start "
                "them with torchrun or accelerate launch, one for each device"
            )
        self._rank, self._size = self._accelerator.process_index, self._accelerator.num_processes
        self._peers: Peers | None = None
        self.stop = StopRequest(alone=self.alone, spread=self._spread, anywhere=self._asked_anywhere)

    @property
    def device(self) -> torch.device:
        device: torch.device = self._accelerator.device
        return device

    @property
    def size(self) -> int:
        """How many processes there are."""
        return int(self._size)

    @property
    def main(self) -> bool:
        """Whether this process writes the files and speaks to the user."""
        return bool(self._accelerator.is_main_process)

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return bool(self._size == 1)

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's part of the items."""
        return list(items[self._rank :: self._size])

    def map(self, function: Callable[[list[Item]], Sequence[Result]], items: Sequence[Item]) -> list[Result]:
        """``function`` of all items, each process doing its part; every process gets all results in order.

        What it raises in one process is raised in all.
        """
        mine = self.share(items)
        if self.alone:
            return list(function(mine))
        rows = self._gathered(lambda: list(function(mine)))
        placed = [(rank + i * self._size, result) for rank, row in enumerate(rows) for i, result in enumerate(row)]
        return [result for _, result in sorted(placed, key=lambda pair: pair[0])]

    def together(self, function: Callable[[], Result]) -> Result:
        """What ``function`` gives here. What it raises in one process is raised in all."""
        if self.alone:
            return function()
        found: list[Result] = []
        self._gathered(lambda: found.append(function()))
        return found[0]

    def _gathered(self, function: Callable[[], Result]) -> list[Result]:
        """What ``function`` gives in each process, by rank."""
        from accelerate.utils import gather_object

        found: Result | None = None
        error: Exception | None = None
        try:
            found = function()
        except Exception as caught:
            error = caught
        with waiting():
            every: list[tuple[Any, _Raised | None]] = gather_object([(found, _Raised.by(error))])
        if error:
            raise error
        raised = [(one, rank) for rank, (_, one) in enumerate(every) if one]
        for one, rank in sorted(raised, key=lambda pair: pair[0].kind is Interrupted):
            raise one.kind(f"rank {rank} of {self._size}: {one.text}")
        return [result for result, _ in every]

    def once(self, function: Callable[[], Result]) -> Result:
        """What ``function`` gives in the main process, which alone calls it; every process gets it."""
        (result,) = self.map(lambda mine: [function() for _ in mine], [None])
        return result

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        return any(self.map(lambda _: [flag], range(self._size)))

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
            with waiting():
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
        shard(model, init_device_mesh(self.device.type, (self._size,)))
        join(model)
        return f"fsdp: weights, gradients and optimiser lie in {self._size} pieces while the model is trained"

    def wait(self) -> None:
        """Until every process is here."""
        with waiting():
            self._accelerator.wait_for_everyone()

    @contextmanager
    def ending_together(self, stalled: int = STALLED) -> Iterator[None]:
        """Within it the processes are watched, and an error ends all; where another is gone, it says which, and why.

        Args:
            stalled: seconds without progress after which a process for which others wait counts as gone.

        Raises:
            AurifyError: another process is gone.
        """
        if self.alone:
            yield
            return
        host = os.environ.get("MASTER_ADDR", "127.0.0.1")
        self._peers = Peers(self._rank, self._size, host, self.once, stalled=stalled)
        try:
            with heard_by(self._peers.hear):
                yield
        except BaseException as error:
            if _is_of_the_connection(error):
                told = self._peers.reason(TOLD_WITHIN)
                raise AurifyError(
                    told or f"rank {self._rank} of {self._size} lost the others: {_line(error)}"
                ) from None
            self._peers.failed(_line(error))
            raise
        finally:
            self._peers.close()
            self._peers = None

    def _asked_anywhere(self) -> bool:
        """Whether any process was asked to stop; all find out together."""
        asked = torch.tensor(int(self.stop.asked), device=self.device)
        if not self.alone:
            torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX)
        return bool(asked)

    def _spread(self) -> None:
        """Have the other processes asked to stop."""
        if self._peers:
            self._peers.stop()


class _Raised(NamedTuple):
    """An error as the other processes are told of it."""

    kind: type[Exception]
    text: str

    @classmethod
    def by(cls, error: Exception | None) -> _Raised | None:
        if error is None or _is_of_the_connection(error):
            return None
        known = isinstance(error, (AurifyError, Interrupted))
        return cls(type(error) if type(error) in (UsageError, Interrupted) else AurifyError,
                   str(error) if known else _line(error))  # fmt: skip


def _is_of_the_connection(error: BaseException) -> bool:
    """Whether an error is one of torch's communication between processes."""
    return isinstance(error, torch.distributed.DistError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in ("gloo", "NCCL", "Connection closed"))
    )


def _line(error: BaseException) -> str:
    """An error in one line; of one that is not ours with its kind."""
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, AurifyError) else f"{type(error).__name__}: {text}".removesuffix(": ")
