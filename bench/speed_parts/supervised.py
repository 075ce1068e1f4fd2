"""Part g: learning given rationales on a real model: aurify distill kd, and TRL's SFTTrainer. Not run unless named.

The same right rationales of GPT-4 on MATH, which have a long tail of lengths; one step learns all of them. LoRA of
rank 8 on queries and values, bfloat16, the loss on the rationale alone, no gradient checkpointing. TRL's micro-batch of
rows is padded to its longest, aurify's of 4,096 tokens is packed. Both take turns, step by step, each in its own
process; loading and the first step are not counted in the time, and are in the peak of memory, which is the whole
process's.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import sys
from contextlib import ExitStack
from typing import Any

from speed_parts import shared
from speed_parts.child import Child, steps_in_turn
from speed_parts.shared import PEERS, Options

DATA = shared.ROOT.parent / "shared/data/math_teacher/gpt-4.jsonl.gz"
RATIONALES, ROWS, RATE = 16, 4, 3e-4
FASTER, LIGHTER = 1.3, 0.5


def run(options: Options) -> str:
    if not options.model:
        return "## g. Given rationales\n\nLeft out: name a model with --model (see CONTRIBUTING.md)."
    plan = {"model": str(options.model), "rows": ROWS, "rate": RATE, "steps": options.repeats + 3, "learn": taught()}
    seconds: dict[str, list[float]] = {"aurify": [], "TRL": []}
    with ExitStack() as stack:
        workers = {}
        for name, python in (("aurify", sys.executable), ("TRL", PEERS)):
            worker = Child("supervised_worker", {**plan, "side": name}, python=python, threads=options.threads)
            workers[name] = stack.enter_context(worker)
            workers[name].read()
        for name, turn, took in steps_in_turn(workers, options.repeats):
            if turn:
                seconds[name].append(took)
            options.say(f"{name}, step {turn + 2}: {took:.0f} s")
        peaks = {name: worker.peak_mb() for name, worker in workers.items()}
    ours, theirs = seconds.values()
    ratios = [other / one for one, other in zip(ours, theirs, strict=True)]
    rows = [
        [name, f"{statistics.median(found):.0f}", f"{min(found):.0f} to {max(found):.0f}", f"{peaks[name] / 1024:.1f}"]
        for name, found in seconds.items()
    ]
    lengths = sorted(len(one["text"]) for one in plan["learn"])
    return (
        f"## g. Given rationales on {options.model.name}\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n"
        f"{RATIONALES} rationales of {lengths[0]} to {lengths[-1]} characters (median {lengths[len(lengths) // 2]}), "
        f"TRL {ROWS} rows at a time.\n\n"
        f"{shared.table(['', 'processor s/step (median)', 'range', 'peak GiB'], rows)}\n\n"
        f"{shared.target('speed over TRL', statistics.median(ratios), FASTER)}\n"
        f"{shared.target('memory of TRL', peaks['aurify'] / peaks['TRL'], LIGHTER, at_most=True)}"
    )


def taught() -> list[dict[str, Any]]:
    """The first right rationale of some questions, drawn at random from those that have one."""
    found: list[dict[str, Any]] = []
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            right = next((one["rationale"] for one in row["samples"] if one["correct"]), None)
            if right is not None:
                found.append({"id": row["id"], "question": row["problem"], "answer": row["answer"], "text": right})
    return random.Random(0).sample(found, RATIONALES)
