"""The same seconds of training for aurify's methods and for TRL's GRPOTrainer on a real model; resumable, one table.

    .venv/bin/python bench/real_beside.py MODEL DATA --sides trice grpo star rejection trl --seconds 2400 \
        --rates trl=1e-5,1e-4 --out runs/beside -- --max-new-tokens 192

MODEL is a folder of weights, or an adapter, which is merged into such a folder once. What stands after `--` are
settings of `aurify train`; TRL takes from them what it knows: the prompt's form, the token limit, the LoRA. Needs
`make peers`.

Alike on all sides: the weights to begin with, rank, scale and targets of a fresh LoRA, the training questions, the
held-out ones (aurify's split of seed 0), the form of the prompt, the token limit, temperature 1, the rollouts a step,
the dtype, one thread on one core, large pages, and a rate that falls by a cosine to a tenth with the used share of the
budget. The budget counts drawing, grading and updating by the clock; loading, evaluating and saving are off it, and a
step that has begun is finished. What share of it the processor worked stands beside it: far from 100 %, the core was
not its own.

Held-out answers are greedy, drawn and graded by aurify on all sides. aurify's methods have their defaults otherwise
(`star` online, refits 0) and find their rates themselves; TRL's GRPO has groups of 8 and its own defaults, and is tried
at the rates of ``--rates`` [1e-5, ten times its default for full tuning, and 1e-4]. Of a side's rates the one with the
best final accuracy stands for it, which flatters it by the luck of that choice.

Two calls with other ``--sides`` or ``--seeds`` and another ``--core`` may fill one ``--out`` at the same time. A run
of aurify that was stopped goes on, one of TRL begins anew, and what is finished is read: also in ``--kept``, a file of
runs (``kept_runs.py``) that gets those of this call. Its seconds are those of the machine that made a run, so the sides
of a seed belong on one.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import kept_runs
from real_beside_table import print_tables
from real_models import drawn, greedy
from speed_parts.budgeted import told
from speed_parts.child import Child
from speed_parts.shared import PEERS

from aurify.files import atomic_folder
from aurify.models import load_model
from aurify.models.prompting import PromptForm
from aurify.nugget import generate
from aurify.running.precision import with_dtype
from aurify.settings import resolve
from aurify.training.settings import TrainSettings, build_method

TRL = "trl"
QUICK = ["--sides", "trice", TRL, "--seconds", "1", "--rates", "trl=1e-3", "--limit", "4", "--sampled", "2",
         "--rollouts", "16", "--micro", "8", "--", "--max-new-tokens", "40", "--memory", "none"]  # fmt: skip
"""What ``--quick`` stands for, on the embedded model."""


class Job(NamedTuple):
    """A run."""

    side: str
    rate: float | None
    seed: int

    @property
    def name(self) -> str:
        return f"{self.side}-{'own' if self.rate is None else f'{self.rate:g}'}-{self.seed}"


def main() -> None:
    args = arguments(sys.argv[1:])
    settle(args.core)
    if TRL in args.sides and not PEERS.exists():
        sys.exit("no .venv-peers: run make peers")
    args.out.mkdir(parents=True, exist_ok=True)
    with alone(args.out):
        begin = merged(args.model, args.out / "begin")
        common = common_settings(args, begin)
        asked = agree(args, common)
    failed: list[str] = []
    for seed in args.seeds:
        for side in args.sides:
            for rate in args.rates.get(side, [None]):
                job = Job(side, rate, seed)
                if job.name not in {run["name"] for run in results(args, asked)}:
                    try:
                        measure(args, job, common, asked)
                    except RuntimeError as error:  # of the run's process; others may still succeed
                        failed.append(f"{job.name} fails: {error}")
                        print(f"  {failed[-1]}", flush=True)
    print_tables(results(args, asked), args.sides)
    if failed:
        sys.exit("\n".join(failed))


def settle(core: int) -> None:
    """Make this process and those that it starts work on one core, with one thread, and end with it."""
    import torch

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; the same command goes on"))
    os.sched_setaffinity(0, {core})
    os.environ.update(OMP_NUM_THREADS="1", THP_MEM_ALLOC_ENABLE="1", TOKENIZERS_PARALLELISM="false")
    torch.set_num_threads(1)


def arguments(words: list[str]) -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="a folder of weights, or of an adapter")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--sides", nargs="+", default=["trice", TRL], help="methods of aurify, and trl [trice trl]")
    parser.add_argument("--seconds", type=float, default=2400, help="of training, each run")
    parser.add_argument("--every", type=float, help="seconds of training between evaluations [a sixth of all]")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rates", nargs="+", default=[], metavar="SIDE=RATE,RATE")
    parser.add_argument("--limit", type=int, default=200, help="held-out questions")
    parser.add_argument("--sampled", type=int, default=100, help="of these, sampled twice at the end; 0: none")
    parser.add_argument("--rollouts", type=int, default=64, help="a step")
    parser.add_argument("--micro", type=int, default=16, help="of these at a time in TRL's update; memory alone")
    parser.add_argument("--drawn", type=int, help="of these drawn at a time by TRL, 8 a question; memory alone [all]")
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path("runs/beside"))
    parser.add_argument("--kept", type=Path, help="a file of finished runs [results.jsonl in --out]")
    parser.add_argument("--quick", action="store_true", help="seconds on the embedded model: does it run?")
    if "--quick" in words:
        words = [word for word in words if word != "--quick"]
        return arguments([*words, "nugget", str(write_quick(words)), *QUICK])
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    if args.model is None or args.data is None:
        parser.error("MODEL and DATA are needed")
    args.more = settings_after(words[cut + 1 :])
    if "max_new_tokens" not in args.more:
        parser.error("give -- --max-new-tokens N: all sides must have the same limit")
    args.rates = {TRL: [1e-5, 1e-4]} | {
        side: [float(rate) for rate in rates.split(",")]
        for side, _, rates in (one.partition("=") for one in args.rates)
    }
    return args


def write_quick(words: list[str]) -> Path:
    """The questions of ``--quick``, in its ``--out``."""
    file = Path(words[words.index("--out") + 1] if "--out" in words else "runs/beside") / "counting.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"question": question.text, "answer": question.answer} for question in generate("object_counting", 40, 0)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def settings_after(words: list[str]) -> dict[str, Any]:
    """`--name value` as a dictionary; a word without a value is true."""
    found: dict[str, Any] = {}
    for place, word in enumerate(words):
        if word.startswith("--"):
            value = words[place + 1] if place + 1 < len(words) and not words[place + 1].startswith("--") else True
            found[word[2:].replace("-", "_")] = value
    return found


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep another call with the same folder waiting."""
    with (out / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def merged(model: Path, folder: Path) -> str:
    """The folder of whole weights that every side begins with: the model's, or where it is an adapter a new one."""
    if not (model / "adapter_config.json").is_file():
        return str(model.resolve()) if model.exists() else str(model)
    if not folder.is_dir():
        with atomic_folder(folder) as partial:
            loaded = load_model(str(model))
            loaded.model.merge_and_unload().save_pretrained(partial)
            loaded.tokenizer.save_pretrained(partial)
            if form := PromptForm.read(model):
                form.save(partial)
    return str(folder.resolve())


def common_settings(args: argparse.Namespace, begin: str) -> dict[str, Any]:
    """Of all sides; the dtype is settled here, so that it is the same."""
    common = {
        "model": begin, "data": str(args.data), "eval_limit": args.limit, "tuning": "lora",
        "lora_rank": 16, **args.more,
    }  # fmt: skip
    asked = resolve(TrainSettings, {**common, "method": "grpo", "out": "unused"})
    if (args.out / "settings.json").is_file():
        asked = asked.model_copy(update={"dtype": json.loads((args.out / "settings.json").read_text())["dtype"]})
    return {**common, "dtype": with_dtype(asked, lambda text: print(text, flush=True)).dtype}


def agree(args: argparse.Namespace, common: dict[str, Any]) -> dict[str, str]:
    """What is asked of all runs; leaves the program where those in the folder had other settings."""
    file = args.out / "settings.json"
    names = ("seconds", "every", "limit", "sampled", "rollouts")
    wanted = kept_runs.told({**common, **{name: getattr(args, name) for name in (*names, "model")}})
    if file.is_file():
        kept = json.loads(file.read_text())
        if other := sorted(key for key in wanted.keys() | kept.keys() if wanted.get(key) != kept.get(key)):
            sys.exit(f"{args.out}: its runs had other settings ({', '.join(other)}): name another --out")
    file.write_text(json.dumps(wanted, indent=1))
    return wanted


def plan_of(args: argparse.Namespace, job: Job, common: dict[str, Any]) -> dict[str, Any]:
    """What a run's process is told."""
    settings = {**common, "method": "grpo" if job.side == TRL else job.side}
    if job.side == "star":
        settings["refits"] = 0
    samples = build_method(resolve(TrainSettings, {**settings, "out": "unused"})).samples
    return {
        "settings": {**settings, "questions": args.rollouts // samples}, "rate": job.rate, "seed": job.seed,
        "out": str((args.out / job.name).resolve()), "seconds": args.seconds,
        "looks": round(args.seconds / args.every) if args.every else 6, "rollouts": args.rollouts,
        "micro": min(args.micro, args.rollouts), "drawn": args.drawn or args.rollouts,
    }  # fmt: skip


def measure(args: argparse.Namespace, job: Job, common: dict[str, Any], asked: dict[str, str]) -> None:
    """Train, or go on, and write down what came out."""
    plan = plan_of(args, job, common)
    folder = Path(plan["out"])
    module, python = ("trl_budget_worker", PEERS) if job.side == TRL else ("aurify_budget_worker", sys.executable)
    if not (folder / "model").is_dir():
        with Child(module, plan, python=python, threads=1, core=args.core) as worker:
            while "done" not in (word := worker.read()):
                print(f"  {job.name}: {word['said']}", flush=True)
    before, after = greedy(folder)
    found = {"before": before, "after": after}
    if args.sampled:
        ids = sorted(after)[: args.sampled]
        data = Path(common.get("eval_data", args.data))
        found["sampled"] = drawn(folder / "model", data, ids, 2, common, folder / "sampled")
    line = {"name": job.name, **job._asdict(), **found, **told(folder)}
    kept_runs.add(args.kept or args.out / "results.jsonl", asked, line)


def results(args: argparse.Namespace, asked: dict[str, str]) -> list[dict[str, Any]]:
    """Of all finished runs."""
    return kept_runs.read(args.kept or args.out / "results.jsonl", asked)


if __name__ == "__main__":
    main()
