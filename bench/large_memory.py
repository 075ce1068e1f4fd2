"""The chains of many questions: what a checkpoint's memory costs to write and to read, and what it takes of RAM.

    .venv/bin/python bench/large_memory.py --chains 200000 1000000     # prints a table; --against FOLDER/src

Each number of chains in a process of its own. A rationale has 120 tokens and about 400 letters. Checkpoints come after
1,280 chains (20 steps of 64 questions) have changed; ``--saves`` of them are written, into folders as a run's are, the
first with all chains. Their mean and their longest are told: pieces are joined now and then (see ``Memory``). Reading
is what ``--resume`` does: hashes, and one chain asked for. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
CHANGED = 1280
MIB = 2**20


def resident() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure(count: int, saves: int, folder: Path) -> dict[str, float]:
    """A row of the table."""
    import torch

    from aurify.answers.verdict import Verdict
    from aurify.rationales import Chain, Memory, Rationale
    from aurify.running.checkpoint import list_checkpoints, restore_checkpoint, save_checkpoint

    draw = random.Random(0)
    words = [f"{draw.randrange(10**4):04d}" for _ in range(1000)]

    def chain(number: int, step: int) -> Chain:
        key = f"question-{number:08d}"
        text = " ".join(draw.choices(words, k=80))
        ids = tuple(draw.choices(range(30_000), k=120))
        held = Rationale(
            key, ids, text, "7", Verdict.RIGHT, "", "self", "m", step, 0, draw.getrandbits(62), "stop", -9.0
        )
        return Chain(key, held, step, 3, 3, 1)

    layer = torch.nn.Linear(1, 1)
    trained, optimizer = dict(layer.named_parameters()), torch.optim.AdamW(layer.parameters())
    memory, step = Memory(), 0
    for start in range(0, count, 50_000):  # as a long run fills it: with checkpoints meanwhile
        memory.update(chain(number, 1) for number in range(start, min(count, start + 50_000)))
        save_checkpoint(folder, step := step + 1, trained, optimizer, memory.save(step))
    took = []
    for _ in range(saves):
        memory.update(chain(draw.randrange(count), 2) for _ in range(CHANGED))
        begun = time.process_time()
        save_checkpoint(folder, step := step + 1, trained, optimizer, memory.save(step))
        took.append(time.process_time() - begun)
    running = resident()
    size = sum(file.stat().st_size for file in list_checkpoints(folder)[-1].rglob("memory*"))
    del memory
    begun = time.process_time()
    found = restore_checkpoint(list_checkpoints(folder)[-1], trained, optimizer)
    assert Memory.saved(found)[f"question-{count // 2:08d}"].right
    return {
        "chains": count, "mean": sum(took) / len(took), "longest": max(took), "median": sorted(took)[len(took) // 2],
        "read": time.process_time() - begun, "size": size / MIB, "running": running,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--against", type=Path, help="the src of another checkout, measured too")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(measure(asked.chains[0], asked.saves, asked.alone)))
        return
    print("| source | chains | a checkpoint, s: mean | median | longest | reading, s | file, MiB | RAM, MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count in asked.chains:
        for name, source in (("here", SOURCE), ("against", asked.against)):
            if source is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(
                    [sys.executable, __file__, "--alone", folder, "--chains", str(count), "--saves", str(asked.saves)],
                    capture_output=True, text=True, env={"PYTHONPATH": str(source), "PATH": "/usr/bin"}, check=True,
                )  # fmt: skip
            row = json.loads(done.stdout)
            print(f"| {name} | {count:,} | {row['mean']:.2f} | {row['median']:.2f} | {row['longest']:.2f} "
                  f"| {row['read']:.2f} | {row['size']:,.0f} | {row['running']:,.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
