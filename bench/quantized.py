"""A base in 4 bits beside the same base in bfloat16, with LoRA on top, through the command line. One table.

    .venv/bin/python bench/quantized.py models/qwen2.5-coder-0.5b-instruct ../shared/data/asdiv/asdiv.jsonl \
        --limit 40 --steps 2 --out runs/quantized -- --max-new-tokens 160 --memory none

What stands after `--` goes to `aurify train trice` as it is. Both runs have the same seed, so the first step has the
same questions. ``before`` is the greedy accuracy of the base on ``--limit`` held-out questions, and its difference is
paired by question; ``right`` counts the fresh proposals of all steps. Seconds are medians over the steps. Memory is the
highest that the run's process held, library and the other parts of a step included. A run that is finished is read.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from real_models import accuracy, change, shares

from aurify.rationales import RationaleTable

KINDS: dict[str, list[str]] = {"bfloat16": [], "4 bits": ["--quantize", "4bit"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder of weights (see CONTRIBUTING.md), or a hub name")
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--questions", type=int, default=32, help="a step")
    parser.add_argument("--limit", type=int, default=40, help="held-out questions")
    parser.add_argument("--out", type=Path, default=Path("runs/quantized"))
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    print("| base | before (95 %) | right | tokens/s drawn | seconds of an update | peak memory, GiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    before = []
    for name, own in KINDS.items():
        out = args.out / name.replace(" ", "-")
        train(args, [*own, *words[cut + 1 :]], out)
        print(f"| {name} | {' | '.join(row(out / 'metrics.jsonl'))} |", flush=True)
        before.append(shares(one for one in RationaleTable(out / "held_out").read() if one.step == 0))
    print("\n| greedy | bfloat16 | 4 bits | difference, paired by question (95 %) |")
    print("| --- | ---: | ---: | ---: |")
    print(change("the base", [(before[0], before[1])]))


def train(args: argparse.Namespace, more: list[str], out: Path) -> None:
    """A short run, unless it is there."""
    if (out / "model").is_dir():
        return
    command = [
        sys.executable, "-m", "aurify", "train", "trice", "--model", str(args.model), "--data", str(args.data),
        "--dtype", "bfloat16", "--tuning", "lora", "--steps", str(args.steps), "--questions", str(args.questions),
        "--eval-limit", str(args.limit), "--seed", "0", "--out", str(out), *more,
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.returncode)


def row(metrics: Path) -> list[str]:
    """A run's figures."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if "updated" in line]
    timings = [line["timing"] for line in steps]
    verdicts = [line["verdicts"] for line in steps]
    drawn = sum(sum(found.values()) for found in verdicts)
    return [
        accuracy(next(line["held_out"] for line in lines if "held_out" in line)),
        f"{sum(found.get('right', 0) for found in verdicts)} of {drawn}",
        f"{statistics.median(timing['tokens_per_second'] for timing in timings):.1f}",
        f"{statistics.median(timing['update_seconds'] for timing in timings):.0f}",
        f"{max(timing['peak_memory_mb'] for timing in timings) / 1024:.2f}",
    ]


if __name__ == "__main__":
    main()
