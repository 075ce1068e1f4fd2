"""Fuzzing as in bench/fuzz.py, the inputs chosen by the code that they reach (atheris, of which libFuzzer is a part).

    pip install atheris
    nice .venv/bin/python bench/fuzz_guided.py --seconds 900 --seed 1    # prints a table; --only WORD: one target

The targets, and what a fault is, are those of bench/fuzz.py. An input that reaches code of aurify which none before it
has reached is kept, and changed further: by libFuzzer's own mutations or by those of bench/fuzz.py, either half of the
time. Each target has a process of its own; its growth includes the inputs that were kept. Arrow and
Python's own parsers are not looked into.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import fuzz

LONGEST = 50_000
"""Bytes of an input."""
TOLD = "told.json"


def alone(name: str, target: fuzz.Target, seconds: float, seed: int, folder: Path) -> None:
    """Fuzz one target in this process, which ends with it; what was found is written to ``folder``."""
    import atheris

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(content)
    found, begun = fuzz.Found(target), time.process_time()

    def one(content: bytes) -> None:
        found.take(content)
        passed = time.process_time() - begun
        if passed > seconds / 10:
            found.count_memory()
        if passed > seconds:
            told = {"row": found.row(name), "inputs": found.inputs, "faults": found.faults}
            (folder / TOLD).write_text(json.dumps(told))
            os._exit(0)  # libFuzzer has no other end that leaves Python the last word

    def change(content: bytes, longest: int, number: int) -> bytes:
        draw = random.Random(number)
        if draw.random() < 0.5:
            return bytes(atheris.Mutate(content, longest))
        return fuzz.mutated([content, *target.seeds], draw)[:longest]

    words = [name, str(corpus), f"-seed={seed + 1}", f"-max_len={LONGEST}", "-len_control=0", "-rss_limit_mb=0",
             "-timeout=600"]  # fmt: skip
    atheris.Setup(words, one, custom_mutator=change)
    atheris.Fuzz()


def forked(name: str, target: fuzz.Target, seconds: float, seed: int) -> dict[str, Any]:
    """What ``alone`` found in a fork of this process."""
    with fuzz.scratch() as folder:
        log = folder / "log"
        pid = os.fork()
        if pid == 0:
            out = os.open(log, os.O_WRONLY | os.O_CREAT)
            os.dup2(out, 1)
            os.dup2(out, 2)
            try:
                alone(name, target, seconds, seed, folder)
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        if not (folder / TOLD).exists():
            raise SystemExit(f"{name}: ended before its time:\n{log.read_text(errors='replace')[-3000:]}")
        told: dict[str, Any] = json.loads((folder / TOLD).read_text())
        return told


def main() -> None:
    asked = fuzz.arguments(__doc__)
    import atheris

    total, faults = 0, []
    with fuzz.scratch() as folder:
        with atheris.instrument_imports(include=["aurify"]):
            import aurify.distillation.settings
            import aurify.training.settings  # noqa: F401  # instrumented once, before the forks

            chosen = {name: one for name, one in fuzz.targets(folder).items() if asked.only in name}
        print(fuzz.HEAD, flush=True)
        for name, target in chosen.items():
            found = forked(name, target, asked.seconds / len(chosen), asked.seed)
            total += found["inputs"]
            faults += [f"{name}: {fault}" for fault in found["faults"]]
            print(found["row"], flush=True)
    print("\n".join([f"\n{total} inputs, {len(faults)} faults", *faults[:40]]))
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
