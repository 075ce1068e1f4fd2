"""Part f: processor seconds of a whole step on a real model: TRICE, and TRL's GRPO. Not run unless it is named.

LoRA of rank 16 on all linear layers, bfloat16, the same questions, prompts, token limit, number of rollouts and grader;
each side at its own defaults for a step otherwise (TRICE's looks at the effect of a step, TRL draws groups of 8). Both
take turns, step by step, each in its own process; loading and the first two steps are not counted. What each drew
differs by chance, so the tokens that a step generated differ too.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack

from speed_parts import shared
from speed_parts.child import Child, steps_in_turn
from speed_parts.shared import PEERS, Options

ROLLOUTS, MAX_NEW_TOKENS, RATE = 16, 128, 2e-4
DATA = shared.ROOT.parent / "shared/data/asdiv/asdiv.jsonl"
SIDES = {"aurify TRICE": ("aurify_worker", {"memory": "none"}), "TRL GRPO": ("trl_worker", {"trainer": "grpo"})}


def run(options: Options) -> str:
    if not options.model:
        return "## f. A real model\n\nLeft out: name one with --model (see CONTRIBUTING.md)."
    plan = {
        "mode": "steps", "data": str(DATA), "seed": 0, "rollouts": ROLLOUTS, "steps": options.repeats + 3,
        "max_new_tokens": MAX_NEW_TOKENS, "rate": RATE, "model": str(options.model),
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    with ExitStack() as stack:
        workers = {}
        for name, (module, own) in SIDES.items():
            python = PEERS if module == "trl_worker" else sys.executable
            workers[name] = stack.enter_context(Child(module, {**plan, **own}, python=python, threads=options.threads))
            workers[name].read()
        for name, turn, took in steps_in_turn(workers, options.repeats):
            if turn:
                seconds[name].append(took)
            options.say(f"{name}, step {turn + 2}: {took:.0f} s")
    ours, theirs = seconds.values()
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    rows = [
        [name, f"{statistics.median(found):.0f}", f"{min(found):.0f} to {max(found):.0f}", len(found)]
        for name, found in seconds.items()
    ]
    head = ["", "processor s/step (median)", "range", "steps"]
    return (
        f"## f. A whole step on {options.model.name}\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n"
        f"{ROLLOUTS} rollouts a step, at most {MAX_NEW_TOKENS} new tokens, ASDiv.\n\n{shared.table(head, rows)}\n\n"
        f"aurify / TRL: {statistics.median(ratios):.2f} (median of {len(ratios)} pairs, {min(ratios):.2f} to "
        f"{max(ratios):.2f})."
    )
