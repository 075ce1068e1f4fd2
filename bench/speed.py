"""Speed, side by side in one run: sampler, update, whole steps, time to accuracy, growth; against what else there is.

    .venv/bin/python bench/speed.py [a b c d e f g] [--quick | --full | --cells 1M:64,256] [--data ../shared/data/bbh]

Needs `make peers` (TRL, in .venv-peers) and `make vllm` (.venv-vllm); what is missing is left out and said. Prints one
Markdown table a part and writes them to bench/results/speed.md (--quick: only where --out says). Every number is a
median of interleaved repeats; n= marks those with fewer than asked, since a cell's time is limited (--full: no limits,
and every size). Run it on an idle machine: all parts take about two hours on 2 cores, --quick about 5 minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path

from speed_parts import shared

PARTS = {"a": "sampler", "b": "update", "c": "step", "d": "accuracy", "e": "growth", "f": "real", "g": "supervised"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which of {', '.join(PARTS)} [all]")
    parser.add_argument("--data", type=Path, default=shared.ROOT.parent / "shared/data/bbh", help="BBH's JSON files")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run?")
    parser.add_argument("--full", action="store_true", help="every size, no limits of time")
    parser.add_argument("--cells", nargs="+", metavar="MODEL:N,N", help="of part a, such as 1M:64,256 [all]")
    parser.add_argument("--vocabularies", nargs="+", type=int, metavar="WORDS", help="of part b [1024 32768 151936]")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="part c: another commit in a folder, alone")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="parts f and g: a real model, models/NAME")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5, help="of part d")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, help="[bench/results/speed.md; with --quick none]")
    args = parser.parse_args()
    if unknown := [part for part in args.parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]}: there are {', '.join(PARTS)}")
    out = args.out or (None if args.quick or args.against or args.model else shared.ROOT / "bench/results/speed.md")
    chosen = tuple(args.cells or ()), tuple(args.vocabularies or ()), args.against, args.model
    options = shared.Options(args.data, args.quick, args.full, args.repeats, args.seeds, args.threads, *chosen)
    quieten(args.threads)
    head = f"{shared.machine(options)} Medians of {options.repeats} interleaved repeats; of fewer where n= says so."
    sections = [f"# bench/speed.py\n\n{head}"]
    for part in args.parts or PARTS:
        print(f"part {part}", flush=True)
        begun = time.perf_counter()
        section = import_module(f"speed_parts.{PARTS[part]}").run(options)
        sections.append(f"{section}\n\nTook {time.perf_counter() - begun:.0f} s.")
        print(sections[-1], flush=True)
        if out:
            write(out, sections, options.notes)
    for note in options.notes:
        print(note)


def write(out: Path, sections: list[str], notes: list[str]) -> None:
    """What there is so far, so that a run that is broken off leaves its finished parts."""
    told = ["## Left out\n\n" + "\n".join(f"- {note}" for note in notes)] if notes else []
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n\n".join([*sections, *told]) + "\n", encoding="utf-8")


def quieten(threads: int) -> None:
    """Only our own words on the terminal, and as many threads as asked."""
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    warnings.filterwarnings("ignore")
    import torch
    from transformers.utils import logging

    torch.set_num_threads(threads)
    logging.set_verbosity_error()
    logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())
