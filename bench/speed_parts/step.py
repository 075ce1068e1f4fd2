"""Part c: seconds of a whole step of 64 rollouts: TRICE, and TRL's GRPO and RLOO, on BBH's object counting.

The nugget, full tuning, at most 128 new tokens, the same training rows, the same grader. TRICE draws one proposal for
each of 64 questions where its chains begin empty (`--memory none`); where they begin from the guide, as `auto` has it
here, each question whose chain is not valid yet (in these first steps, most of them) costs a guided rationale besides,
so up to 128 rollouts. TRL draws 8 completions for each of 8 questions. Sampling, grading, gradient and optimiser are
in it; loading and the first two steps are not. All take turns, step by step, each in its own process.

``--against CHECKOUT`` compares TRICE with that of another commit alone (git worktree add CHECKOUT COMMIT), by processor
time, which a busy machine disturbs less than the clock.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack

from speed_parts import shared
from speed_parts.child import Child, steps_in_turn
from speed_parts.shared import PEERS, Options

MAX_NEW_TOKENS = 128
RATE = 2e-4
STEPPERS: dict[str, tuple[str, dict[str, str]]] = {
    "aurify TRICE": ("aurify_worker", {"memory": "none"}),
    "aurify TRICE, guided": ("aurify_worker", {"memory": "guide"}),
    "TRL GRPO": ("trl_worker", {"trainer": "grpo"}),
    "TRL RLOO": ("trl_worker", {"trainer": "rloo"}),
}


def run(options: Options) -> str:
    if options.against:
        return beside(options)
    repeats = options.repeats if options.quick else 2 * options.repeats
    plan = {
        "mode": "steps", "data": str(options.data), "seed": 0, "rollouts": 16 if options.quick else 64,
        "steps": repeats + 3, "max_new_tokens": MAX_NEW_TOKENS, "rate": RATE,
    }  # fmt: skip
    with ExitStack() as stack:
        workers, errors = {}, {}
        for name, (module, own) in STEPPERS.items():
            try:
                if module == "trl_worker" and not PEERS.exists():
                    raise RuntimeError("no .venv-peers: run make peers")
                python = PEERS if module == "trl_worker" else sys.executable
                worker = Child(module, {**plan, **own}, python=python, threads=options.threads)
                stack.enter_context(worker)
                worker.read()
                workers[name] = worker
            except RuntimeError as error:
                errors[name] = "fails"
                options.notes.append(f"c: {name}: {error}")

        def step(worker: Child) -> float:
            worker.go()
            return 1.0

        found = shared.interleaved(
            {name: lambda turn, worker=worker: step(worker) for name, worker in workers.items()},
            repeats=repeats, limit_s=1e9 if options.full else 60.0,
        )  # fmt: skip
    times = {name: found.get(name, shared.Times(error=errors.get(name, ""))) for name in STEPPERS}
    ours = times["aurify TRICE"].rate
    rows = [
        [name, f"{1 / one.rate:.2f}" if one.seconds else one.error, len(one.seconds), shared.ratio(one.rate, ours)]
        for name, one in times.items()
    ]
    head = ["", "s/step (median)", "steps", "aurify's step / this one's"]
    aims = [
        shared.target(f"aurify's step / {name}'s", one.rate / ours, 1 / 3, at_most=True)
        for name, one in times.items()
        if name.startswith("TRL") and one.seconds and ours
    ]
    told = "\n".join(aims)
    return f"## c. A whole step\n\n{__doc__.partition(chr(10) * 2)[2].strip()}\n\n{shared.table(head, rows)}\n\n{told}"


def beside(options: Options) -> str:
    """A step of this checkout and of another one, in turn; the first pair does not count."""
    plan = {
        "mode": "steps", "data": str(options.data), "seed": 0, "rollouts": 16 if options.quick else 64,
        "steps": options.repeats + 3, "max_new_tokens": MAX_NEW_TOKENS, "rate": RATE, "memory": "none",
    }  # fmt: skip
    roots = {"before": options.against, "now": shared.ROOT}
    seconds: dict[str, list[float]] = {name: [] for name in roots}
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Child("aurify_worker", plan, threads=options.threads, root=root))
            for name, root in roots.items()
        }
        for worker in workers.values():
            worker.read()
        for name, turn, took in steps_in_turn(workers, options.repeats):
            if turn:
                seconds[name].append(took)
    ratios = [now / before for now, before in zip(seconds["now"], seconds["before"], strict=True)]
    rows = [[name, f"{statistics.median(found):.2f}", len(found)] for name, found in seconds.items()]
    told = f"now / before: {statistics.median(ratios):.3f} (median of {len(ratios)} pairs, {min(ratios):.3f} to "
    return (
        f"## c. A whole step, before ({options.against}) and now\n\n"
        f"{shared.table(['', 'processor s/step (median)', 'steps'], rows)}\n\n{told}{max(ratios):.3f})."
    )
