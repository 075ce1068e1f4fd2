"""What ``--overlap`` gains: one run with it and without, against a real vLLM server on a core of its own.

    make vllm
    .venv/bin/python bench/overlap.py --server-core 0 --core 1        # prints a table; some ten minutes

The server computes on one core, the run on another. The same run (LoRA on the embedded model) is made with
``--overlap`` and without, in turn, ``--repeats`` times each. Seconds are of the wall, the median over all steps but the
first two of each run: nothing has been drawn ahead before the second one. "Hidden at most" is the shorter one of what a
step draws and what else it does, of the run without: more cannot be won.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
KEY = "of the bench"


def run(out: Path, data: Path, url: str, core: int, asked: argparse.Namespace, *more: str) -> list[dict[str, float]]:
    """The timings of a run's steps."""
    words = [
        sys.executable, "-m", "aurify", "train", asked.method, "--model", asked.model, "--data", str(data), "--out",
        str(out), "--steps", str(asked.steps), "--questions", str(asked.questions), "--samples", str(asked.samples),
        "--holdout", "0", "--max-new-tokens", str(asked.max_new_tokens), "--tuning", "lora", "--sampler", "vllm",
        "--vllm-url", url, "--target-kl", "0", *more,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "VLLM_API_KEY": KEY}
    done = subprocess.run(["taskset", "-c", str(core), *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line["timing"] for line in lines if "updated" in line][2:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--model", default="nugget")
    parser.add_argument("--method", default="grpo")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--max-new-tokens", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=2)
    asked = parser.parse_args()
    sys.path.insert(0, str(SOURCE))
    os.environ["OMP_NUM_THREADS"] = "1"
    from aurify import nugget
    from aurify.sampling.vllm.server import ServerPlan, VllmServer

    own = os.sched_getaffinity(0)
    model = str(nugget.path()) if asked.model == "nugget" else asked.model
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "counting.jsonl"
        rows = map(nugget.json_line, nugget.generate("object_counting", 8 * asked.questions, seed=5))
        data.write_text("".join(rows), encoding="utf-8")
        os.sched_setaffinity(0, {asked.server_core})
        with VllmServer(ServerPlan(model, max_lora_rank=16), log=folder / "server.log", key=KEY) as server:
            os.sched_setaffinity(0, own)
            found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
            for repeat in range(asked.repeats):
                for kind in found:
                    more = ["--overlap"] if kind == "with" else []
                    out = folder / f"{kind}-{repeat}"
                    found[kind] += run(out, data, server.http.url, asked.core, asked, *more)
    print("| run | steps | a step, s: median | its draws, s |\n| --- | --- | --- | --- |")
    for kind, steps in found.items():
        drawn = statistics.median(step["sample_seconds"] for step in steps)
        print(f"| {kind} | {len(steps)} | {statistics.median(step['seconds'] for step in steps):.2f} | {drawn:.2f} |")
    seconds = {kind: statistics.median(step["seconds"] for step in steps) for kind, steps in found.items()}
    hidden = statistics.median(min(one["sample_seconds"], one["seconds"] - one["sample_seconds"])
                               for one in found["without"])  # fmt: skip
    print(f"\n{seconds['without'] / seconds['with']:.2f} times as fast; at most "
          f"{seconds['without'] / (seconds['without'] - hidden):.2f}: {hidden:.2f} s hidden")  # fmt: skip


if __name__ == "__main__":
    main()
