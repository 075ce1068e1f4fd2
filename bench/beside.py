"""One script in the source of two checkouts in turn, each time in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def in_turn(script: str, words: Sequence[object], *, against: Path, threads: int, repeats: int) -> list[list[Any]]:
    """What the script printed as JSON behind ``@@``, by repeat: of the other checkout, and of this one."""
    turns: dict[Path, list[Any]] = {against.resolve(): [], ROOT: []}
    for _ in range(repeats):
        for root, found in turns.items():
            found.append(_turn(root, script, words, threads))
    return list(turns.values())


def _turn(root: Path, script: str, words: Sequence[object], threads: int) -> Any:
    """With large pages where the checkout's command line asks for them."""
    pages = "THP_MEM_ALLOC_ENABLE" in (root / "src/aurify/cli/app.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True, check=True,
        env={
            **os.environ, "PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": str(threads),
            "THP_MEM_ALLOC_ENABLE": str(int(pages)),
        },
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("@@ "))
    return json.loads(line[3:])
