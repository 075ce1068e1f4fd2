"""Part b: tokens a second and peak memory of the update, at three sizes of vocabulary.

The gradient of sum_i w_i log p(z_i | x_i) of the 1M model's body, for two completions a prompt (prompts of 80 to 140
tokens, completions long-tailed with a mean of 50, cut at 256). A token is one of a prompt or a completion, counted
once for each sequence, without padding. All take micro-batches of 4,096 tokens, padding counted where there is any.
aurify: packs; padded: the same without packs, its head in the same chunks; plain: the padded plain loss, rows sorted by
length, all logits, log_softmax; TRL 1: its selective_log_softmax; TRL 2: its head in tiles, as GRPOTrainer calls it.
Each runs in a process of its own; memory is the peak of the first gradient above what the process held before. The
norms of the gradients agree, or it is said.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

from speed_parts import shared
from speed_parts.child import Child
from speed_parts.shared import PEERS, Options

WAYS = {"aurify": "packs", "padded": "padded", "plain": "plain", "TRL 1": "trl selective", "TRL 2": "trl fused"}
TOKEN_BUDGET = 4096


def run(options: Options) -> str:
    speeds: list[list[Any]] = []
    memory: list[list[Any]] = []
    aims: list[str] = []
    sizes = [(1024, 8)] if options.quick else [(1024, 64), (32_768, 48), (151_936, 32)]
    sizes = [size for size in sizes if not options.vocabularies or size[0] in options.vocabularies]
    for vocabulary, sequences in sizes:
        plan = {"vocabulary": vocabulary, "sequences": sequences, "token_budget": TOKEN_BUDGET}
        with ExitStack() as stack:
            workers, told, errors = {}, {}, {}
            for name, way in WAYS.items():
                try:
                    python = python_of(way)
                    worker = Child("update_worker", {**plan, "way": way}, python=python, threads=options.threads)
                    workers[name] = stack.enter_context(worker)
                    told[name] = worker.read()
                except RuntimeError as error:
                    errors[name] = "fails" if workers.pop(name, None) else "-"
                    options.notes.append(f"b: {name} at {vocabulary}: {error}")
            found = shared.interleaved(
                {name: lambda turn, worker=worker: worker.go() for name, worker in workers.items()},
                repeats=options.repeats, limit_s=1e9 if options.full else 20.0,
            )  # fmt: skip
        check_norms(told, vocabulary, options)
        rates = {name: times.rate for name, times in found.items()}
        label = f"{vocabulary:,} words, {sequences} sequences"
        speeds.append(
            [label, *(found[name].cell(options.repeats) if name in found else errors[name] for name in WAYS),
             *(shared.ratio(rates.get("aurify", 0), rates.get(name, 0)) for name in ("plain", "padded", "TRL 2"))]
        )  # fmt: skip
        peaks = {name: what["peak_mb"] for name, what in told.items()}
        memory.append(
            [label, *(f"{peaks[name]:,.0f}" if name in peaks else errors[name] for name in WAYS),
             *(shared.ratio(peaks.get("aurify", 0), peaks.get(name, 0), 3) for name in ("plain", "TRL 2"))]
        )  # fmt: skip
        options.say(f"{speeds[-1]} {memory[-1]}")
        if rates.get("plain"):
            aims.append(shared.target(f"{label}, tokens/s over plain", rates["aurify"] / rates["plain"], 1.5))
        if vocabulary > 100_000 and peaks.get("plain"):
            aims.append(
                shared.target(f"{label}, memory over plain", peaks["aurify"] / peaks["plain"], 1 / 8, at_most=True)
            )
    return "\n\n".join(
        [
            f"## b. Update\n\n{__doc__.partition(chr(10) * 2)[2].strip()}",
            shared.table(["tokens/s", *WAYS, "aurify / plain", "aurify / padded", "aurify / TRL 2"], speeds),
            shared.table(["peak memory, MiB", *WAYS, "aurify / plain", "aurify / TRL 2"], memory),
            "\n".join(aims),
        ]
    )


def python_of(way: str) -> str:
    """The interpreter that has what the way needs; RuntimeError where there is none."""
    if not way.startswith("trl"):
        return sys.executable
    if not PEERS.exists():
        raise RuntimeError("no .venv-peers: run make peers")
    return str(PEERS)


def check_norms(told: dict[str, Any], vocabulary: int, options: Options) -> None:
    """All ways must compute the same gradient."""
    norms = {name: what["norm"] for name, what in told.items()}
    if norms and max(norms.values()) > 1.001 * min(norms.values()):
        options.notes.append(f"b: the gradients differ at {vocabulary} words: norms {norms}")
