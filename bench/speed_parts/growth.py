"""Part e: seconds and peak memory of aurify's sampling and update as one thing grows, with fitted exponents.

Random Llama models; prompts of 80 to 140 tokens; the update ascends what was sampled, in micro-batches of 4,096
tokens. Each point is a process of its own: median seconds of its repeats, and peak memory above what it held with the
model loaded (for questions: a TRICE step of 16 of them with the nugget, their texts the same again after 1,000; above
what it held before it had them). The exponent is the slope in log-log of a least-squares line: 1 is linear growth, 0
none.
"""

from __future__ import annotations

from typing import Any

from speed_parts import shared
from speed_parts.child import Child
from speed_parts.shared import Options

Point = tuple[float, dict[str, Any]]


def points(options: Options) -> dict[str, list[Point]]:
    """What grows, and for each value the worker's plan."""
    base = {"shape": "1M", "rollouts": 64, "length": 0}
    rollouts, lengths, counts = (16, 64, 256, 1024), (64, 128, 256, 512), (100, 1_000, 10_000, 100_000)
    models = {"1M": 1.15e6, "30M": 29.9e6, "120M": 120.7e6}
    if options.quick:
        rollouts, lengths, counts, models = (4, 16), (16, 32), (100, 1_000), {"1M": 1.15e6}
    return {
        "rollouts (long-tailed)": [(n, {**base, "rollouts": n}) for n in rollouts],
        "tokens a rollout (64 rollouts)": [(n, {**base, "length": n, "rollouts": 16 if options.quick else 64})
                                           for n in lengths],
        "parameters (8 rollouts of 32 tokens)": [(n, {**base, "shape": name, "rollouts": 8, "length": 32})
                                                  for name, n in models.items()],
        "questions": [(n, {"questions": n}) for n in counts],
    }  # fmt: skip


def run(options: Options) -> str:
    rows = []
    for name, grown in points(options).items():
        seconds, memory = [], []
        for _, plan in grown:
            told_of = {**plan, "repeats": options.repeats, "limit_s": 10.0}
            with Child("growth_worker", told_of, threads=options.threads) as worker:
                told = worker.read()
            seconds.append(told["seconds"])
            memory.append(max(told["peak_mb"], 0.1))
        sizes = [size for size, _ in grown]
        fits = [f"{shared.exponent(sizes, y):.2f}" if len(sizes) > 1 else "-" for y in (seconds, memory)]
        rows.append(
            [name, ", ".join(f"{size:,.0f}" for size in sizes), ", ".join(f"{s:.3g}" for s in seconds), fits[0],
             ", ".join(f"{m:,.0f}" for m in memory), fits[1]]
        )  # fmt: skip
        options.say(f"{rows[-1]}")
    head = ["what grows", "values", "seconds", "exponent", "peak memory, MiB", "exponent"]
    return f"## e. Growth\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n{shared.table(head, rows)}"
