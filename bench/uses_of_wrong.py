"""Uses of the same wrong rationales side by side, at equal tokens, for a student that is weak and for one that is able.

    .venv/bin/python bench/uses_of_wrong.py --out runs/uses-weak --student weak --seeds 0 1 2
    .venv/bin/python bench/uses_of_wrong.py --out runs/uses-able --student able --seeds 0 1 2
    .venv/bin/python bench/uses_of_wrong.py --out runs/uses-smol --student models/smollm2-135m-instruct \
        --problems 600 --held-out 100 --tokens 60000 --tests gsm8k --test-rows 100 --seconds 3600
    .venv/bin/python bench/uses_of_wrong.py --out runs/uses-weak --table

``weak`` is the embedded model as it stands, ``able`` the same after it has learned right rationales of other questions;
their teacher and questions are those of bench/reproduce_tdg.py. Any other student learns from a real teacher on MATH.

A method is trained on about ``--tokens`` tokens of rationales, right and wrong ones counted, all its stages together,
with the same rationales a step:

    kd             right rationales alone
    mix, ul        wrong ones learned as right; pushed away, token by token
    cl             contrast: likelihood of right ones, and log p of a right one less that of wrong ones of its question
    prefix         right ones, and wrong ones up to their first false equation
    nat            the paper's: half of the tokens for wrong ones, half for right ones
    no-negatives   NAT's unit, right ones alone
    nce            after nat, as many tokens again (right ones); kd-twice, right ones alone, has as many
    dpo, kto       TRL's own trainers, on the rows of ``aurify export``, from the student as it stands
    kd+dpo, kd+kto the same after kd on half of the tokens (kd-half)
    sc, asc        kd's student votes among ``--votes`` samples; in asc with a ranker that has learned the same right
                   and wrong rationales (bench/asc_math_teacher.py's "alone"); answers cost so many times more tokens

Measured are greedy accuracy (of sc and asc: of the vote), the log-probability of held-out rationales, and the share of
held-out pairs of a right and a wrong one that are in order: by log p a token, for asc by the ranker's score. What is
finished stands in OUT/results.jsonl and is not repeated. DPO and KTO need ``make peers``, and are left out without it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import uses_data as data
from dust_data import TESTS, rows, write, write_teacher, write_test
from dust_real import FREE, Bench, Spent, same_settings, stop_after
from speed_parts.shared import PEERS
from tdg_world import DOMAINS
from uses_table import print_uses

from aurify.cli.export import ExportSettings
from aurify.cli.export import run as export_rows
from aurify.cli.progress import progress_bar
from aurify.distillation import DistillSettings, run_distillation
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.models.load import load_model, load_tokenizer, resolve_name
from aurify.models.prompting import prompt_form
from aurify.settings import resolve
from aurify.voting.fast_ranker import FastRanker
from aurify.voting.gather import read_pools
from aurify.voting.pool import CandidatePool, right_groups
from aurify.voting.settings import VoteSettings
from aurify.voting.votes import credit, vote

LEARNS = {
    "kd": "right", "kd-half": "right", "kd-twice": "right", "no-negatives": "right", "nce": "right", "mix": "every",
    "ul": "every", "cl": "every", "prefix": "prefix",
}  # fmt: skip
"""What a step of a method is of; NAT's stages and TRL's pairs take right and wrong ones in turn."""
SHARE = {"kd-half": 0.5, "kd-twice": 2.0, "kd+dpo": 0.5, "kd+kto": 0.5}
"""Of ``--tokens``."""
PREFERENCES = ("dpo", "kto", "kd+dpo", "kd+kto")
VOTES = ("sc", "asc")
METHODS = ("kd", "mix", "ul", "cl", "prefix", "nat", "no-negatives", *PREFERENCES, "kd-twice", "nce", *VOTES)
EMBEDDED = ("weak", "able")
PAIRED = 2
"""Held-out rationales of a side and question that are compared, as by the students."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--student", default="weak", help="weak, able, or a folder of weights")
    parser.add_argument("--methods", nargs="+", choices=[*METHODS, "all"], default=["all"], metavar="METHOD")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--tokens", type=int, default=19_000, help="of rationales, that a method is trained on")
    parser.add_argument("--rationales", type=int, default=8, help="a step")
    parser.add_argument("--rate", type=float, help="[4e-3 for the embedded model, else 3e-4]")
    parser.add_argument("--preference-rate", type=float, help="of DPO and KTO [--rate]")
    parser.add_argument("--problems", type=int, help="that are learned from, 8 rationales each [30; else 600]")
    parser.add_argument("--held-out", type=int, default=60, help="problems whose rationales' likelihood is measured")
    parser.add_argument("--max-tokens", type=int, default=512, help="of a problem and its rationale; longer: left out")
    parser.add_argument("--max-new-tokens", type=int, help="of an answer [160; else 400]")
    parser.add_argument("--tests", nargs="*", choices=list(TESTS), default=["math", "gsm8k"], metavar="TEST")
    parser.add_argument("--test-rows", type=int, default=300, help="of each test set")
    parser.add_argument("--votes", type=int, default=8, help="samples a question of sc and asc")
    parser.add_argument("--samples", type=int, default=0, help="own samples a question from which nce learns too")
    parser.add_argument("--at-once", type=int, default=4, help="rows of a micro-batch of TRL")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of the published data")
    parser.add_argument("--teacher", default="gpt-3.5-turbo", choices=["gpt-3.5-turbo", "gpt-4"])
    parser.add_argument("--prompt", default="auto", choices=["auto", "chat", "plain"])
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], help="[float32 for the embedded model]")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after these seconds; the same command goes on")
    parser.add_argument("--table", action="store_true", help="print the table from the results that are there")
    args = parser.parse_args()
    if args.table:
        print_uses(args.out)
        return
    embedded = args.student in EMBEDDED
    args.rate = args.rate or (4e-3 if embedded else 3e-4)
    args.preference_rate = args.preference_rate or args.rate
    args.problems = args.problems or (30 if embedded else 600)
    args.max_new_tokens = args.max_new_tokens or (160 if embedded else 400)
    args.dtype = args.dtype or ("float32" if embedded else "bfloat16")
    same_settings(args, (*FREE, "at_once"))
    stop_after(args.seconds)
    methods = list(METHODS) if "all" in args.methods else args.methods
    if not PEERS.is_file() and (left := [method for method in methods if method in PREFERENCES]):
        print(f"{PEERS} is not there (make peers): left out: {', '.join(left)}", file=sys.stderr)
        methods = [method for method in methods if method not in left]
    Uses(args).run(methods)


class Uses(Bench):
    """One student's runs."""

    save_every = 10

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.out = args, args.out
        self.embedded = args.student in EMBEDDED
        self.answers = None if self.embedded else "math"
        if self.embedded:
            data.write_world(
                self.out, seeds=args.seeds, questions=args.problems, samples=8, held_out=args.held_out,
                tests=args.test_rows,
            )  # fmt: skip
            self.tests = {domain: self.out / "tests" / f"{domain}.jsonl" for domain in DOMAINS}
        else:
            source = args.data / "math_teacher" / f"{args.teacher}.jsonl.gz"
            write_teacher(source, self.out, problems=args.problems, held_out=args.held_out)
            self.tests = {name: write_test(args.data, name, self.out / "tests", args.test_rows) for name in args.tests}
        args.student = self._student(args.student)
        encode = load_tokenizer(str(args.student))
        self.length = lambda text: len(encode(text)["input_ids"])
        names = [f"train-{seed}" for seed in args.seeds] if self.embedded else ["train"]
        for name in (*names, "held_out"):
            data.keep_short(self.out / f"{name}.jsonl", self.out / f"{name}-short.jsonl", self.length, args.max_tokens)
        self.held = self.out / "held_out-short.jsonl"

    def train_of(self, seed: int) -> Path:
        return self.out / (f"train-{seed}-short.jsonl" if self.embedded else "train-short.jsonl")

    def steps_of(self, method: str, seed: int) -> int:
        """Steps of each stage of a method, such that all together learn from its share of the tokens."""
        lengths = data.mean_lengths(self.train_of(seed), self.length)
        tokens = self.args.tokens * SHARE.get(method, 1.0)
        a_rationale = lengths["right"] + lengths["wrong"] if method == "nat" else lengths[LEARNS[method]]
        return max(1, round(tokens / (self.args.rationales * a_rationale)))

    def words(self, method: str, seed: int, out: Path) -> dict[str, Any]:
        named = method.partition("-")[0] if method in ("kd-half", "kd-twice") else method
        return {**super().words(named, seed, out), "steps": self.steps_of(method, seed)}

    def one(self, method: str, seed: int) -> Path:
        """Train and measure, where that was not done; the folder of the model."""
        if method in VOTES:
            self.vote(seed)
            return self.out / "runs" / f"kd-{seed}" / "model"
        if method not in PREFERENCES:
            return super().one(method, seed)
        out = self.out / "runs" / f"{method}-{seed}"
        if not self.has(method, seed, "train"):
            self.prefer(method, seed, out)
        self.measure(method, seed, out / "model")
        return out / "model"

    def prefer(self, method: str, seed: int, out: Path) -> None:
        """DPO or KTO by TRL, on as many rows as make the tokens."""
        args, form = self.args, method.removeprefix("kd+")
        adapter = self.one("kd-half", seed) if method.startswith("kd+") else None
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        a_step = args.rationales // 2 if form == "dpo" else args.rationales
        plan = {
            "form": form, "rows": str(self.rows_for(form, seed, method, out, a_step)), "out": str(out / "model"),
            "model": str(args.student.resolve()), "adapter": adapter and str(adapter.resolve()), "seed": seed,
            "rate": args.preference_rate, "dtype": args.dtype, "a_step": a_step, "at_once": args.at_once,
        }  # fmt: skip
        worker = [str(PEERS), str(Path(__file__).with_name("trl_preferences.py")), json.dumps(plan)]
        with (out / "trl.log").open("w", encoding="utf-8") as log:
            done = subprocess.run(worker, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{method}, seed {seed}: TRL ended with {done.returncode}: see {out / 'trl.log'}")
        shutil.rmtree(out / "trl", ignore_errors=True)
        self.record(method, seed, "train", json.loads(done.stdout.splitlines()[-1]))

    def rows_for(self, form: str, seed: int, method: str, out: Path, a_step: int) -> Path:
        """The rows of ``aurify export``, shuffled pass by pass, as many as make about the tokens of the method."""
        told = {"method": "kd", "model": str(self.args.student), "from_": "", "prompt": self.args.prompt}
        asked = prompt_form(resolve(DistillSettings, told), str(self.args.student), load_tokenizer(told["model"]))
        train, exported = str(self.train_of(seed)), out / f"{form}.jsonl"
        export_rows(
            ExportSettings(
                run=train, data=train, answers=self.answers, to=form, out=str(exported), prompt=asked.prompt
            )
        )  # fmt: skip
        known = rows(exported)
        texts = [text(row[name]) for row in known for name in ("chosen", "rejected", "completion") if name in row]
        a_row = sum(self.length(one) + 1 for one in texts) / len(known)
        wanted = max(1, round(self.args.tokens * SHARE.get(method, 1.0) / (a_step * a_row))) * a_step
        shuffle, chosen = random.Random(seed), []
        while len(chosen) < wanted:
            chosen += shuffle.sample(known, len(known))
        write(out / "rows.jsonl", chosen[:wanted])
        return out / "rows.jsonl"

    def vote(self, seed: int) -> None:
        """Self-consistency of the kd student's samples, and adaptive self-consistency with a ranker."""
        missing = [name for name in self.tests if not self.has("asc", seed, name)]
        if not missing and self.has("asc", seed, "likelihood"):
            return
        model = self.one("kd", seed)
        (known,) = self.pools(self.train_of(seed), self.train_of(seed))
        ranker = FastRanker.train(known, seed=seed, alone=True)
        if not self.has("asc", seed, "likelihood"):
            (held,) = self.pools(self.held, self.held)
            preferred = {pool.question_id: share for pool in held if (share := in_order(ranker, pool)) is not None}
            self.record("asc", seed, "likelihood", {"right": {}, "wrong": {}, "preferred": preferred, "seconds": 0.0})
        for name in missing:
            self.vote_on(name, seed, model, ranker)

    def vote_on(self, name: str, seed: int, model: Path, ranker: FastRanker) -> None:
        args, spent, drawn = self.args, Spent(), self.out / "drawn"
        shutil.rmtree(drawn, ignore_errors=True)
        words = {
            "model": str(model), "data": str(self.tests[name]), "max_new_tokens": args.max_new_tokens,
            "prompt": args.prompt, "dtype": args.dtype, "out": str(drawn), "samples": args.votes, "seed": seed,
        }  # fmt: skip
        with progress_bar("answers") as tell:
            run_evaluation(resolve(EvaluateSettings, words), progress=tell)
        pools = [pool for some in self.pools(drawn / "samples", self.tests[name], None) for pool in some]
        for kind in VOTES:
            found = {}
            for pool, scores_S in zip(pools, ranker.scores(pools), strict=True):
                ballot = vote(pool.groups, scores_S.tolist() if kind == "asc" else None, kind=kind)
                found[pool.question_id] = credit(ballot, right_groups(pool))
            self.record(kind, seed, name, {"right": found, **spent.facts})

    def pools(self, source: Path, questions: Path, answers: str | None = "") -> list[list[CandidatePool]]:
        told = {"file": str(source), "data": str(questions), "answers": self.answers if answers == "" else answers}
        return list(read_pools(str(source), resolve(VoteSettings, told), lambda line: None))

    def _student(self, name: str) -> Path:
        """The folder of the student's weights."""
        if not self.embedded:
            return Path(name)
        if name == "weak":
            return Path(resolve_name("nugget"))
        able = self.out / "able"
        if not (able / "config.json").is_file():
            from peft import PeftModel

            file = str(data.write_able(self.out, 30, 8))
            words = {
                "method": "kd", "model": "nugget", "data": file, "from_": file, "holdout": 0.0, "eval_limit": 0,
                "steps": 20, "rationales": 8, "lr": 4e-3, "out": str(self.out / "able-run"), "max_new_tokens": 160,
            }  # fmt: skip
            shutil.rmtree(self.out / "able-run", ignore_errors=True)
            run_distillation(resolve(DistillSettings, words), held_out=[])
            loaded = load_model("nugget", dtype="float32")
            taught: Any = PeftModel.from_pretrained(loaded.model, self.out / "able-run" / "model")
            taught.merge_and_unload().save_pretrained(able)
            loaded.tokenizer.save_pretrained(able)
        return able


def in_order(ranker: FastRanker, pool: CandidatePool) -> float | None:
    """The share of the pool's pairs that the ranker has in order, ties half; None where it has no pair."""
    sides: dict[bool, list[int]] = {True: [], False: []}
    texts: set[str] = set()
    for place, candidate in enumerate(pool.candidates):
        if candidate.text not in texts and len(sides[bool(candidate.right)]) < PAIRED:
            sides[bool(candidate.right)].append(place)
        texts.add(candidate.text)
    scores_S = ranker.scores([pool])[0]
    above = [scores_S[r] - scores_S[w] for r in sides[True] for w in sides[False]]
    return float(np.mean(0.5 + 0.5 * np.sign(above))) if above else None


def text(reply: str | list[dict[str, str]]) -> str:
    """The text of a row's reply."""
    return reply if isinstance(reply, str) else reply[0]["content"]


if __name__ == "__main__":
    main()
