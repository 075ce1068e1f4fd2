"""Which learning rate suits a real model: worked solutions learned at each of a few, and held-out ones scored.

    .venv/bin/python bench/rates.py models/smollm2-135m-instruct ../shared/data/gsm8k/train.jsonl --out runs/rates \
        --tuning lora --rates 1e-4 3e-4 1e-3 [--seeds 0] [--steps 30] [--questions 16]

A run is `aurify train cot` with this rate and defaults otherwise. It is scored by the mean log-probability of the first
``--held-out`` questions' own solutions, in nats a token, which tells rates apart sooner than accuracy does; none of
these questions is learned from. What is measured stands in OUT/results.jsonl and is not measured again, so one folder
may hold several models. One table: intervals are of these very runs, over questions, and differences are paired.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import aurify
from aurify.models import load_model
from aurify.models.logprobs import token_logprobs
from aurify.models.prompting import prompt_form
from aurify.questions import Prompts, Question, load_questions
from aurify.rationales import Rationale, RationaleTable
from aurify.running.progress import TerminalWatcher
from aurify.settings import resolve
from aurify.statistics.crossed import crossed_mean
from aurify.training.settings import TrainSettings

PER_PASS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder of weights (see CONTRIBUTING.md)")
    parser.add_argument("data", type=Path, help="questions with worked solutions")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tuning", choices=["lora", "full"], default="lora")
    parser.add_argument("--rates", nargs="+", type=float, default=[1e-4, 3e-4, 1e-3])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--questions", type=int, default=16, help="a step")
    parser.add_argument("--held-out", type=int, default=64)
    args = parser.parse_args()
    questions = list(load_questions(str(args.data)))
    held, train = questions[: args.held_out], questions[args.held_out :]
    args.out.mkdir(parents=True, exist_ok=True)
    before = kept(args, {"tuning": "none"}) or measured(args, held)
    runs = {
        (rate, seed): kept(args, told(args, rate, seed)) or learned(args, train, held, rate, seed)
        for seed in args.seeds
        for rate in args.rates
    }
    print_table(args, before, runs)


def told(args: argparse.Namespace, rate: float, seed: int) -> dict[str, Any]:
    return {"tuning": args.tuning, "rate": rate, "seed": seed, "steps": args.steps, "questions": args.questions}


def kept(args: argparse.Namespace, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What was measured of this model before."""
    file = args.out / "results.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    whole = {"model": args.model.name, "data": args.data.name, "held_out": args.held_out, **asked}
    return next((line for line in lines if line["asked"] == whole), None)


def keep(args: argparse.Namespace, asked: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    whole = {"model": args.model.name, "data": args.data.name, "held_out": args.held_out, **asked}
    line = {"asked": whole, **found}
    with (args.out / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return line


def measured(args: argparse.Namespace, held: Sequence[Question]) -> dict[str, Any]:
    """The model as it stands."""
    return keep(args, {"tuning": "none"}, {"nats": scored(args, args.model, held)})


def learned(
    args: argparse.Namespace, train: Sequence[Question], held: Sequence[Question], rate: float, seed: int
) -> dict[str, Any]:
    out = args.out / "runs" / f"{args.model.name}-{args.tuning}-{rate:g}-{seed}"
    begun, resume = time.perf_counter(), (out / "checkpoints").is_dir()
    if not resume:
        shutil.rmtree(out, ignore_errors=True)
    with TerminalWatcher() as watcher:
        aurify.train(
            "cot", model=args.model, data=train, held_out=[], holdout=0.0, out=out, tuning=args.tuning, lr=rate,
            seed=seed, steps=args.steps, questions=args.questions, resume=resume, watcher=watcher,
        )  # fmt: skip
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if "gradient_norm" in line]
    found = {
        "nats": scored(args, out / "model", held),
        "seconds": time.perf_counter() - begun,
        "cosine": statistics.fmean(line["gradient_cosine"] for line in steps if "gradient_cosine" in line),
        "norm": statistics.median(line["gradient_norm"] for line in steps),
    }
    shutil.rmtree(out)
    return keep(args, told(args, rate, seed), found)


def scored(args: argparse.Namespace, model: Path, held: Sequence[Question]) -> dict[str, float]:
    """By question, the mean log p of a token of its solution."""
    settings = resolve(TrainSettings, {"method": "cot", "model": str(args.model), "data": str(args.data)})
    loaded = load_model(str(model), dtype="bfloat16")
    template = prompt_form(settings, settings.model, loaded.tokenizer).template(loaded.tokenizer)
    prompts = Prompts(template, loaded.tokenizer)(held)
    solutions = [one.token_ids for one in written(args, held)]
    pairs = list(zip(prompts, solutions, strict=True))
    means: list[float] = []
    for start in range(0, len(pairs), PER_PASS):
        with torch.no_grad():
            part = token_logprobs(
                loaded.model, pairs[start : start + PER_PASS], pad_token_id=loaded.tokenizer.pad_token_id
            )
        means += [float(one.mean()) for one in part]
    return {question.id: mean for question, mean in zip(held, means, strict=True)}


def written(args: argparse.Namespace, held: Sequence[Question]) -> list[Rationale]:
    """The held-out solutions as a run writes them: those of a run that hardly moves."""
    out = args.out / "runs" / f"{args.model.name}-solutions"
    if not (out / "model").is_dir():
        shutil.rmtree(out, ignore_errors=True)
        aurify.train(
            "cot", model=args.model, data=held, held_out=[], holdout=0.0, out=out, steps=1, questions=len(held),
            lr=1e-12, tuning="lora",
        )  # fmt: skip
    by_id = {one.question_id: one for one in RationaleTable(out / "rationales").read()}
    return [by_id[question.id] for question in held]


def print_table(
    args: argparse.Namespace, before: dict[str, Any], runs: dict[tuple[float, int], dict[str, Any]]
) -> None:
    ids = list(before["nats"])

    def nats(rate: float) -> Any:
        return np.array([[runs[rate, seed]["nats"][id] for id in ids] for seed in args.seeds])

    base = np.array([[before["nats"][id] for id in ids]])
    best = max(args.rates, key=lambda rate: nats(rate).mean())
    print(f"| {args.model.name}, {args.tuning}: rate | gain, nats a token (95 %) | less the best | cosine | norm | s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for rate in args.rates:
        gain = crossed_mean(nats(rate) - base).interval
        less = crossed_mean(nats(rate) - nats(best)).interval if rate != best else None
        facts = [runs[rate, seed] for seed in args.seeds]
        mean = {key: statistics.fmean(one[key] for one in facts) for key in ("cosine", "norm", "seconds")}
        print(
            f"| {rate:g} | {gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) | "
            + (f"{less.value:+.4f} ({less.low:+.4f} to {less.high:+.4f})" if less else "best")
            + f" | {mean['cosine']:.2f} | {mean['norm']:.1f} | {mean['seconds']:.0f} |"
        )


if __name__ == "__main__":
    main()
