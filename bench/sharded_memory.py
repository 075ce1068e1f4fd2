"""Memory of a process that trains a piece of a model: weights, gradients and optimiser, and the peak of an update.

    .venv/bin/python bench/sharded_memory.py --out memory.jsonl     # minutes on a free core; prints a table

A random Llama of 309 million float32 weights (24 layers; ``--layers 8``: 104 million), tuned in full by AdamW, in 1, 2
and 4 processes over gloo on one machine:
the loading, two updates on a short sequence, then whole weights again as for drawing. A row is measured in processes of
its own; rows that ``--out`` holds already are not measured again.

"held" counts the bytes of the tensors that a process has between two updates; "update" and "whole" are the most memory
that is resident in an update and once the weights are whole (VmHWM), less what was before the model was made. Figures
are of the process that took most; "predicted" is what a run would have said of an update (``aurify.models.memory``),
without the library.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

MIB = 2**20
SEQUENCE = tuple(range(2, 18))


def resident(field: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM the most since ``forget_peak``."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def forget_peak() -> None:
    """Let VmHWM begin at what is resident now."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def measure(size: int, out: Path, layers: int) -> None:
    """Two updates in this process, one of ``size``; the first process writes the row."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from aurify.methods.terms import Term
    from aurify.models.heap import give_back
    from aurify.models.memory import ModelShape, update_memory
    from aurify.models.sharding import join, named_pieces, own_piece, split
    from aurify.running.world import World
    from aurify.training.m_step import accumulate_gradient, ascend, build_optimizer

    torch.set_num_threads(1)
    torch.manual_seed(0)
    world, before = World(), resident("VmRSS")
    config = LlamaConfig(
        vocab_size=512, hidden_size=1024, intermediate_size=2816, num_hidden_layers=layers, num_attention_heads=16,
        num_key_value_heads=16, tie_word_embeddings=True, max_position_embeddings=128,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    count = sum(parameter.numel() for parameter in model.parameters())
    use = update_memory(ModelShape.of(model), "full", tokens=len(SEQUENCE) + 2, bf16=False, pieces=size)
    if size > 1:
        world.shard(model)
    parameters = [piece for _, piece in named_pieces(model)]
    optimizer = build_optimizer(parameters, "full", rate=1e-5, weight_decay=0.0)
    peaks = []
    for _ in range(2):
        split(model)
        give_back(model)
        forget_peak()
        terms = world.share([Term("q", SEQUENCE, 1.0)])
        accumulate_gradient(model, terms, {"q": (0, 1)}, pad_token_id=0, token_budget=256)
        world.sum_gradients(parameters)
        weights = sum(own_piece(one).nbytes for one in parameters)
        gradients = sum(own_piece(one.grad).nbytes for one in parameters if one.grad is not None)
        ascend(optimizer, parameters, rate=1e-5, clip=1.0)
        peaks.append(resident("VmHWM") - before)
    moments = sum(own_piece(value).nbytes for state in optimizer.state.values() for value in state.values())
    give_back(model)
    forget_peak()
    join(model)
    row: dict[str, Any] = {
        "weights": weights, "gradients": gradients, "optimizer": moments, "update": peaks[-1],
        "predicted": use.total - use.library,
        "whole": resident("VmHWM") - before,
    }  # fmt: skip
    rows = world.map(lambda mine: [row for _ in mine], range(size))
    if world.main:
        most = {key: max(one[key] for one in rows) for key in row}
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"processes": size, "parameters": count, **most}) + "\n")


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4])
    wanted = parser.parse_args()
    from ranks import in_processes

    import aurify.running.world  # noqa: F401  # imported before the processes part

    rows = read(wanted.out)
    for size in wanted.processes:
        if size not in rows and not in_processes(size, lambda size=size: measure(size, wanted.out, wanted.layers)):
            sys.exit(f"{size} processes: failed")
    rows = read(wanted.out)
    print("| processes | weights | gradients | optimiser | held, MiB | update, MiB | predicted, MiB | whole, MiB |")
    print("| --- " * 8 + "|")
    for size, row in sorted(rows.items()):
        parts = [row[key] for key in ("weights", "gradients", "optimizer")]
        figures = [*parts, sum(parts), row["update"], row["predicted"], row["whole"]]
        print(f"| {size} | " + " | ".join(f"{figure / MIB:,.0f}" for figure in figures) + " |")


def read(path: Path) -> dict[int, dict[str, Any]]:
    """The rows that are there, by the number of processes."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {row["processes"]: row for row in map(json.loads, lines)}


if __name__ == "__main__":
    main()
