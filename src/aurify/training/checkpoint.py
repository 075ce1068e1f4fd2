"""Checkpoints: everything a run needs to go on, in a folder that is either whole or not there.

Weights and optimiser state are safetensors, the memory is Parquet, the rest JSON: no pickle. Seeds, batches and
learning rates are functions of the step, so there is no other state.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file

from aurify.errors import AurifyError
from aurify.files import atomic_folder, verify_folder
from aurify.rationales import Memory

KEPT = 2
"""How many of the newest checkpoints stay on the disk."""


class Restored(NamedTuple):
    """What a checkpoint held besides weights and optimiser state, which are loaded in place."""

    step: int
    memory: Memory
    notes: dict[str, Any]


def save_checkpoint(
    folder: Path,
    step: int,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    memory: Memory,
    notes: dict[str, Any],
) -> Path:
    """Write ``folder/step-NNNNNNNN`` atomically and delete the oldest beyond ``KEPT``."""
    target = folder / f"step-{step:08d}"
    with atomic_folder(target) as partial:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in parameters.items()},
            partial / "weights.safetensors",
        )
        save_file(_optimizer_tensors(parameters, optimizer), partial / "optimizer.safetensors")
        memory.save(partial / "memory.parquet")
        (partial / "state.json").write_text(json.dumps({"step": step, "notes": notes}), encoding="utf-8")
    for old in list_checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-????????") if path.is_dir())


def restore_checkpoint(
    path: Path, parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> Restored:
    """Verify a checkpoint and load it into the parameters and the optimiser.

    Raises:
        AurifyError: a file is damaged, or the checkpoint is of another model.
    """
    verify_folder(path)
    weights = load_file(path / "weights.safetensors")
    if {name: value.shape for name, value in weights.items()} != {name: p.shape for name, p in parameters.items()}:
        raise AurifyError(
            f"{path}: its weights are of another model or tuning kind; give the --model that it was made with"
        )
    moments = load_file(path / "optimizer.safetensors")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
            state = {
                key.removeprefix(f"{name}/"): value for key, value in moments.items() if key.startswith(f"{name}/")
            }
            if state:
                optimizer.state[parameter] = {
                    key: value if key == "step" else value.to(parameter.device) for key, value in state.items()
                }
    state = json.loads((path / "state.json").read_text(encoding="utf-8"))
    return Restored(state["step"], Memory.load(path / "memory.parquet"), state["notes"])


def _optimizer_tensors(
    parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> dict[str, torch.Tensor]:
    return {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }
