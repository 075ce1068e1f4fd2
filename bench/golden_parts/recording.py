"""Runs the golden runs and writes what they left; a recording that was broken off goes on."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from golden_parts.inputs import write_inputs
from golden_parts.left import digest, what_it_left
from golden_parts.runs import runs, selected
from golden_parts.ways import WAYS, Worker


def record(out: Path, source: Path, only: str, keep: Path | None) -> None:
    """Run what ``out`` does not hold yet, of those whose names hold ``only``, and write what each left."""
    begun = time.perf_counter()
    state = digest([file.relative_to(source).as_posix(), file.read_text()] for file in sorted(source.rglob("*.py")))
    found = recorded(out, state)
    before = len(found)
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ, "PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true",
            "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        write_inputs(folder, environment)
        kept = {name for name in found if (folder / "runs" / name).is_dir()}
        plain = Worker(folder, environment)
        for run in selected(list(runs()), only, found, kept):
            started = time.perf_counter()
            shutil.rmtree(folder / "runs" / run.name, ignore_errors=True)  # of a recording that was broken off
            failed = plain.run(run) if run.way == "plain" else WAYS[run.way.split()[0]](run, folder, environment)
            found[run.name] = {"failed": failed} if failed else what_it_left(run, folder)
            print(f"{run.name:24} {time.perf_counter() - started:6.1f} s  {failed}", flush=True)
            write(out, {"source": str(source.resolve()), "state": state, "runs": found})
        plain.close()
    failures = sum("failed" in run for run in found.values())
    spent = os.times()
    processor = spent.children_user + spent.children_system
    seconds = f"{time.perf_counter() - begun:.0f} s ({processor:.0f} s of processor time)"
    print(f"{len(found)} runs ({before} of them before) in {seconds}, {failures} failed: {out}")


def recorded(out: Path, state: str) -> dict[str, Any]:
    """What an earlier recording of the same source left and did not fail."""
    if not out.exists():
        return {}
    earlier = json.loads(out.read_text(encoding="utf-8"))
    if earlier["state"] != state:
        raise SystemExit(f"golden: {out} is of another source ({earlier['source']}, as it was then): name another file")
    return {name: run for name, run in earlier["runs"].items() if "failed" not in run}


def write(out: Path, recording: dict[str, Any]) -> None:
    """Write it whole or not at all."""
    part = out.with_name(out.name + ".part")
    part.write_text(json.dumps(recording, indent=1) + "\n", encoding="utf-8")
    part.replace(out)
