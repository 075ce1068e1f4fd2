"""The chains of many questions: seconds to write and to read a checkpoint's memory, its size, and what it takes of RAM.

    .venv/bin/python bench/large_memory.py --chains 200000 1000000     # prints a table; --against FOLDER/src

Each number of chains in a process of its own. A rationale has 120 tokens and about 400 letters. The second write
comes after 1,280 chains (20 steps of 64 questions) have changed, as a checkpoint of a run does; "reading" is what
``--resume`` does, with one chain asked for. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
CHANGED = 1280
MIB = 2**20


def resident() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure(count: int) -> dict[str, float]:
    """A row of the table."""
    from aurify.answers.verdict import Verdict
    from aurify.rationales import Chain, Memory, Rationale

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

    memory = Memory()
    for start in range(0, count, 50_000):  # as a long run fills it: with checkpoints meanwhile
        memory.update(chain(number, 1) for number in range(start, min(count, start + 50_000)))
        memory.to_parquet()
    memory.update(chain(draw.randrange(count), 2) for _ in range(CHANGED))
    begun = time.process_time()
    content = memory.to_parquet()
    wrote, running = time.process_time() - begun, resident()
    del memory
    begun, before = time.process_time(), resident()
    again = Memory.from_parquet(content)
    assert again[f"question-{count // 2:08d}"].right
    return {
        "chains": count, "write": wrote, "read": time.process_time() - begun, "size": len(content) / MIB,
        "running": running - len(content) / MIB, "grown": resident() - before,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chains", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--against", type=Path, help="the src of another checkout, measured too")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(measure(asked.chains[0])))
        return
    print("| source | chains | writing, s | reading, s | file, MiB | RAM of the process while it runs, MiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in asked.chains:
        for name, source in (("here", SOURCE), ("against", asked.against)):
            if source is None:
                continue
            done = subprocess.run(
                [sys.executable, __file__, "--alone", "--chains", str(count)], capture_output=True, text=True,
                env={"PYTHONPATH": str(source), "PATH": "/usr/bin"}, check=True,
            )  # fmt: skip
            row = json.loads(done.stdout)
            print(f"| {name} | {count:,} | {row['write']:.2f} | {row['read']:.2f} | {row['size']:,.0f} "
                  f"| {row['running']:,.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
