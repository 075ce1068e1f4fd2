"""The methods of 'Turning Dust into Gold' on its own data: real teachers' rationales, real pretrained students.

    .venv/bin/python bench/dust_real.py --student models/smollm2-135m-instruct --out runs/dust-smol \
        --methods kd nat no-negatives nce --seeds 0 [--tokens 200000] [--tests gsm8k asdiv] [--seconds 3600]
    .venv/bin/python bench/dust_real.py --out runs/dust-smol --table [--whole 3000000 300]

``--methods all`` runs every one. Every stage of a method learns from about ``--tokens`` tokens of rationales, so that
NAT's second stage sees as many right ones as CoT-KD does, as in the paper. A student is measured by the log-probability
of held-out rationales of its teacher, a few tens of problems with right and wrong ones, and by greedy accuracy on
``--tests``: MATH by subject, and out of domain. ``negative`` is the adapter that NAT's first stage trains on wrong
rationales, alone.

Whatever is finished stands in OUT/results.jsonl and is not repeated; a run that was killed goes on from its last
checkpoint. With ``--seconds`` the bench stops by itself, and the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from dust_data import TESTS, rows, write_teacher, write_test
from dust_table import print_tables
from reproduce_tdg import FROM_NAT, VARIANTS

from aurify.cli.progress import progress_bar
from aurify.distillation import DistillSettings, run_distillation
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.rationales import RationaleTable
from aurify.running.progress import TerminalWatcher
from aurify.settings import resolve

METHODS = ("kd", "mix", "cl", "nt", "ul", "nat", "negative", *VARIANTS, *FROM_NAT)
FREE = ("out", "seeds", "methods", "tests", "seconds", "table", "whole")
"""What may differ between calls that fill one folder."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--student", type=Path, default=Path("models/smollm2-135m-instruct"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of the published data")
    parser.add_argument("--teacher", default="gpt-3.5-turbo", choices=["gpt-3.5-turbo", "gpt-4"])
    parser.add_argument("--methods", nargs="+", choices=[*METHODS, "all"], default=["all"], metavar="METHOD")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--problems", type=int, default=1000, help="that are learned from, 8 rationales each")
    parser.add_argument("--held-out", type=int, default=60, help="problems whose rationales' likelihood is measured")
    parser.add_argument("--tokens", type=int, default=100_000, help="of rationales, a stage")
    parser.add_argument("--rationales", type=int, default=16, help="a step")
    parser.add_argument("--max-tokens", type=int, default=768, help="of a problem and its rationale; longer: left out")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--samples", type=int, default=0, help="own samples a question of nce, self-kd and augment")
    parser.add_argument("--prompt", default="auto", choices=["auto", "chat", "plain"])
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--tests", nargs="*", choices=list(TESTS), default=list(TESTS), metavar="TEST")
    parser.add_argument("--test-rows", type=int, default=300, help="of each test set")
    parser.add_argument("--max-new-tokens", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after these seconds; the same command goes on")
    parser.add_argument("--table", action="store_true", help="print the tables from the results that are there")
    parser.add_argument(
        "--whole", nargs=2, type=int, metavar=("TOKENS", "ROWS"), default=(140_000, 300),
        help="in the table: the hours of a run with TOKENS tokens a stage and ROWS rows a test",
    )  # fmt: skip
    args = parser.parse_args()
    if args.table:
        print_tables(args.out, *args.whole)
        return
    same_settings(args)
    stop_after(args.seconds)
    Bench(args).run(list(METHODS) if "all" in args.methods else args.methods)


def same_settings(args: argparse.Namespace, free: Sequence[str] = FREE) -> None:
    """Refuse to mix runs of other sizes, rates or data in one folder."""
    told = {key: str(value) for key, value in sorted(vars(args).items()) if key not in free}
    path = args.out / "settings.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if changed := [key for key in told if before.get(key) != told[key]]:
            raise SystemExit(f"{args.out}: its runs had other settings ({', '.join(changed)}): name another --out")
    args.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def stop_after(seconds: float) -> None:
    """Ask this process to stop after so many seconds; 0: never."""
    if seconds:
        timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()


class Bench:
    """One folder of runs, as far as they are finished."""

    answers: str | None = "math"
    """How answers are read; None: as the files say."""
    save_every = 4
    """Steps between checkpoints."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        teacher = args.data / "math_teacher" / f"{args.teacher}.jsonl.gz"
        self.train, self.held = write_teacher(teacher, args.out, problems=args.problems, held_out=args.held_out)
        self.tests = {name: write_test(args.data, name, args.out / "tests", args.test_rows) for name in args.tests}

    def run(self, methods: list[str]) -> None:
        """Every method with every seed, and the student as it was given."""
        self.measure("base", 0, self.args.student)
        for seed in self.args.seeds:
            for method in methods:
                self.one(method, seed)

    def one(self, method: str, seed: int) -> Path:
        """Train and measure, where that was not done; the folder of the model."""
        if method == "negative":
            model = self.one("nat", seed) / "neg"
        else:
            out = self.out / "runs" / f"{method}-{seed}"
            model = out / "model"
            if not self.has(method, seed, "train"):
                self.distill(method, seed, out)
        self.measure(method, seed, model)
        return model

    def words(self, method: str, seed: int, out: Path) -> dict[str, Any]:
        """The settings of a run, which goes on if it was begun."""
        args, train = self.args, str(self.train_of(seed))
        named = method.removesuffix("-token") if method in FROM_NAT else "nat" if method in VARIANTS else method
        words: dict[str, Any] = {
            "method": named, "model": str(args.student), "data": train, "from_": train,
            "answers": self.answers, "holdout": 0.0, "eval_limit": 0, "out": str(out), "seed": seed,
            "steps": self.steps_of(method, seed),
            "rationales": args.rationales, "lr": args.rate, "max_tokens": args.max_tokens, "dtype": args.dtype,
            "max_new_tokens": args.max_new_tokens, "prompt": args.prompt, "save_every": self.save_every,
            "resume": (out / "checkpoints").is_dir(),
        }  # fmt: skip
        words |= {"variant": method} if method in VARIANTS else {}
        words |= {"nce_weights": "token"} if method == "nce-token" else {}
        if method in FROM_NAT:
            words |= {"samples": args.samples, "model": str(self.one("nat", seed))}
        return words

    def train_of(self, seed: int) -> Path:
        """What a seed's runs learn from: the same for all."""
        return self.train

    def steps_of(self, method: str, seed: int) -> int:
        """Steps of each stage of a method."""
        return self.steps

    def distill(self, method: str, seed: int, out: Path) -> None:
        """Begin a run, or go on with it."""
        words = self.words(method, seed, out)
        if not words["resume"]:
            shutil.rmtree(out, ignore_errors=True)
        spent = Spent()
        with TerminalWatcher() as watcher:
            run_distillation(resolve(DistillSettings, words), held_out=[], watcher=watcher)
        lines = [line for line in rows(out / "metrics.jsonl") if "loss" in line]
        told = [out / name for name in ("nce_weights.jsonl", "unit_weights.jsonl") if (out / name).is_file()]
        facts = {
            "stages": list(dict.fromkeys(line["stage"] for line in lines)), "steps": len(lines),
            "tokens": sum(line["tokens"] for line in lines),
            "seconds": sum(line["timing"]["seconds"] for line in lines), "busy": spent.facts["busy"],
            "peak_memory_mb": max(line["timing"]["peak_memory_mb"] for line in lines),
            "losses": [line["loss"] for line in lines], **{path.stem: rows(path)[0] for path in told},
        }  # fmt: skip
        self.record(method, seed, "train", facts)

    @cached_property
    def steps(self) -> int:
        """Steps of a stage, enough to learn from about ``--tokens`` tokens."""
        from aurify.models.load import load_tokenizer

        encode = load_tokenizer(str(self.args.student))
        texts = [s["rationale"] for row in rows(self.train) for s in row["samples"] if s["correct"]]
        lengths = [len(encode(text)["input_ids"]) for text in texts[:400]]
        kept = [length for length in lengths if length < self.args.max_tokens - 64] or [1]
        return max(1, round(self.args.tokens / (self.args.rationales * sum(kept) / len(kept))))

    def measure(self, method: str, seed: int, model: Path) -> None:
        """The likelihood of held-out rationales, and accuracy on the test sets, each where it was not measured."""
        if not self.has(method, seed, "likelihood"):
            spent = Spent()
            found = likelihood(self.args, model, self.held, self.answers)
            self.record(method, seed, "likelihood", {**found, **spent.facts})
        for name, file in self.tests.items():
            if not self.has(method, seed, name):
                self.accuracy(method, seed, name, model, file)

    def accuracy(self, method: str, seed: int, name: str, model: Path, file: Path) -> None:
        """Greedy accuracy, question by question."""
        spent, out = Spent(), self.out / "evaluated"
        shutil.rmtree(out, ignore_errors=True)
        args = self.args
        words = {
            "model": str(model), "data": str(file), "max_new_tokens": args.max_new_tokens, "prompt": args.prompt,
            "dtype": args.dtype, "out": str(out),
        }  # fmt: skip
        with progress_bar("answers") as tell:
            run_evaluation(resolve(EvaluateSettings, words), progress=tell)
        drawn = list(RationaleTable(out / "greedy").read())
        facts = {
            "right": {one.question_id: float(one.right) for one in drawn},
            "tokens": sum(len(one.token_ids) for one in drawn),
            "cut": sum(one.finish_reason == "length" for one in drawn), **spent.facts,
        }  # fmt: skip
        self.record(method, seed, name, facts)

    def has(self, method: str, seed: int, part: str) -> bool:
        path = self.out / "results.jsonl"
        known = rows(path) if path.exists() else []
        return any((one["method"], one["seed"], one["part"]) == (method, seed, part) for one in known)

    def record(self, method: str, seed: int, part: str, facts: dict[str, Any]) -> None:
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"method": method, "seed": seed, "part": part, **facts}) + "\n")


def likelihood(args: argparse.Namespace, model: Path, held: Path, answers: str | None = "math") -> dict[str, Any]:
    """By held-out problem: mean log p a token, in nats, of its right and of its wrong rationales, where it has any.

    ``preferred`` is the share of its pairs in which the right one is likelier, ties half.
    """
    from aurify.answers import Grader
    from aurify.distillation.examples import Example, choose
    from aurify.distillation.gradient import ExampleScorer
    from aurify.distillation.likelihood import PER_SIDE
    from aurify.models import load_model
    from aurify.models.prompting import prompt_form
    from aurify.questions import Prompts
    from aurify.questions.chosen import read_as
    from aurify.rationales.judging import TableJudge
    from aurify.rationales.reading import read_with_texts

    told = {"method": "kd", "model": str(args.student), "from_": str(held), "prompt": args.prompt, "answers": answers}
    settings = resolve(DistillSettings, told)
    loaded = load_model(str(model), dtype=args.dtype)
    template = prompt_form(settings, settings.model, loaded.tokenizer).template(loaded.tokenizer)
    questions = list(read_as(settings, str(held)))
    prompts = dict(
        zip((one.id for one in questions), Prompts(template, loaded.tokenizer)(questions), strict=True)
    )  # fmt: skip
    read, texts = read_with_texts(held)
    with Grader() as grader:
        known = TableJudge(questions, grader, texts).judged(read)
    chosen = choose(known, prompts, loaded.tokenizer, template, repeats="once", max_tokens=args.max_tokens)
    sides: dict[tuple[str, bool], list[Example]] = {}
    for example in chosen.examples:
        sides.setdefault((example.question_id, example.right), []).append(example)
    examples = [example for side in sides.values() for example in side[:PER_SIDE]]
    means = ExampleScorer(loaded.model, prompts, int(loaded.tokenizer.pad_token_id or 0), 2048).means(examples)
    by_side: dict[bool, dict[str, list[float]]] = {True: {}, False: {}}
    for example, mean in zip(examples, means, strict=True):
        by_side[example.right].setdefault(example.question_id, []).append(mean)
    right, wrong = by_side[True], by_side[False]
    preferred = {
        name: float(np.mean([(r > w) + 0.5 * (r == w) for r in right[name] for w in wrong[name]]))
        for name in right.keys() & wrong.keys()
    }
    found = {
        side: {name: float(np.mean(values)) for name, values in own.items()}
        for side, own in (("right", right), ("wrong", wrong))
    }
    return {**found, "preferred": dict(sorted(preferred.items()))}


class Spent:
    """Seconds since it was made, and the share of them in which this process computed."""

    def __init__(self) -> None:
        self._begun, self._computed = time.perf_counter(), time.process_time()

    @property
    def facts(self) -> dict[str, float]:
        seconds = time.perf_counter() - self._begun
        return {"seconds": seconds, "busy": (time.process_time() - self._computed) / seconds}


if __name__ == "__main__":
    main()
