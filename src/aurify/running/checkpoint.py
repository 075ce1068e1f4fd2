"""Checkpoints: everything a run needs to go on, in a folder that is either whole or not there.

    weights.safetensors, optimizer.safetensors
    state/                what the task keeps besides, in files whose names and contents are its own

No pickle. Seeds, batches and learning rates are functions of the step, so there is no other state.

The two newest whole ones stay (``KEPT``). One in which damage was found is none of them: it stands until two newer ones
are whole, or the run comes to its step again and replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.files import Kept, atomic_folder, remove_folder, verify_folder
from aurify.models.sharding import laid_as, whole_tensor
from aurify.text import first_line

KEPT = 2
"""How many whole checkpoints stay on the disk, the newest."""

T = TypeVar("T")


def save_checkpoint(
    folder: Path,
    step: int,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, bytes | Kept],
    *,
    damaged: Collection[Path] = (),
    write: bool = True,
) -> Path:
    """Write ``folder/step-NNNNNNNN`` atomically and delete what is older than the ``KEPT`` newest whole ones.

    Tensors that lie in pieces are written whole. A file that does not change (``Kept``) is taken over from a checkpoint
    before, but not from the one that stays beside this one, so that each of the two holds all by itself. Every process
    of a run calls it; ``write`` is set in one of them.

    Args:
        damaged: checkpoints that are not whole (see ``newest_whole``), besides those that lack a file or a part of one.

    Raises:
        AurifyError: a weight is not finite, or there is no room; the checkpoints before are as they were.
    """
    target = folder / f"step-{step:08d}"
    weights = _on_cpu(parameters, keep=write)
    moments = _on_cpu(_optimizer_tensors(parameters, optimizer), keep=write)
    if not write:
        return target
    if not all_finite(weights):
        raise AurifyError(f"the weights are not finite after step {step}: nothing of it is saved; lower --lr")
    others = [path for path in list_checkpoints(folder) if path not in (target, *damaged) and _has_all_files(path)]
    known: dict[str, Any] = {}
    with atomic_folder(target, known=known) as partial:
        save_file(weights, partial / "weights.safetensors")
        save_file(moments, partial / "optimizer.safetensors")
        (partial / "state").mkdir()
        for name, content in state.items():
            if isinstance(content, Kept):
                content.put(partial, f"state/{name}", target, known, beside=others[-1] if others else None)
            else:
                (partial / "state" / name).write_bytes(content)
    if len(others) >= KEPT - 1:
        oldest = min(target, *others[1 - KEPT :])
        for old in list_checkpoints(folder):
            if old < oldest:
                remove_folder(old)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-????????") if path.is_dir())


def step_of(path: Path) -> int:
    """The step after which a checkpoint was written."""
    return int(path.name.removeprefix("step-"))


def newest_whole(
    kept: Sequence[Path], take: Callable[[Path], T], say: Callable[[str], None]
) -> tuple[T, frozenset[Path]]:
    """What ``take`` makes of the newest checkpoint that it takes, and those that were left out for it, which is said.

    Raises:
        AurifyError: it takes none; what was wrong with the newest.
    """
    problems: dict[Path, AurifyError] = {}
    for path in reversed(kept):
        try:
            return take(path), frozenset(problems)
        except AurifyError as error:
            problems[path] = error
            say(f"checkpoint left out: {error}")
    raise next(iter(problems.values()))


def restore_checkpoint(
    path: Path, parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, bytes]:
    """Verify a checkpoint, load it into the parameters and the optimiser, and return the task's own state.

    Raises:
        AurifyError: a file is damaged, a value is not finite, or the checkpoint is of another model. Parameters and
            optimiser are then as they were.
    """
    verify_folder(path)
    try:
        weights, moments = load_file(path / "weights.safetensors"), load_file(path / "optimizer.safetensors")
        state = {file.name: file.read_bytes() for file in sorted((path / "state").glob("*"))}
    except (OSError, SafetensorError) as error:
        raise AurifyError(f"{path}: cannot be read: {first_line(error)}") from None
    if {name: value.shape for name, value in weights.items()} != {name: p.shape for name, p in parameters.items()}:
        raise AurifyError(
            f"{path}: its weights are of another model or tuning kind; give the --model that it was made with"
        )
    _check(path, parameters, {**weights, **moments})
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(laid_as(parameter, weights[name]))
            own = {key.removeprefix(f"{name}/"): value for key, value in moments.items() if key.startswith(f"{name}/")}
            if own:
                optimizer.state[parameter] = {
                    key: value if key == "step" else laid_as(parameter, value) for key, value in own.items()
                }
    return state


def all_finite(parameters: Mapping[str, torch.Tensor]) -> bool:
    """Whether no value is NaN or infinite."""
    return all(bool(value.detach().isfinite().all()) for value in parameters.values())


def _has_all_files(path: Path) -> bool:
    """Whether no file is missing or of another size; reading them takes as long as they are large."""
    try:
        verify_folder(path, contents=False)
    except AurifyError:
        return False
    return True


def _check(path: Path, parameters: Mapping[str, torch.nn.Parameter], held: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights and moments that no run of these parameters can have had."""
    for key, value in held.items():
        name, _, kind = key.rpartition("/")
        if name and (name not in parameters or value.shape not in (parameters[name].shape, torch.Size([]))):
            raise AurifyError(f"{path}: its optimizer.safetensors is of another model or tuning kind")
        if not value.isfinite().all():
            raise AurifyError(f"{path}: the {kind or 'weights'} of {name or key} are not finite")


def _on_cpu(tensors: Mapping[str, torch.Tensor], *, keep: bool) -> dict[str, torch.Tensor]:
    """The tensors whole, on the CPU; without ``keep`` none, but other processes get this one's pieces."""
    whole = ((name, whole_tensor(value.detach())) for name, value in tensors.items())
    return {name: value.cpu().contiguous() for name, value in whole if keep}


def _optimizer_tensors(
    parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, torch.Tensor]:
    return {
        f"{name}/{key}": value
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }
