"""The claims of 'Turning Dust into Gold', one by one, on a student and a noisy teacher of our own, and on MATH.

    .venv/bin/python bench/reproduce_tdg.py --out runs/tdg [--seeds 0 1 2 3 4] [--kinds slips procedure format]
        [--methods kd nat ...] [--questions 30] [--steps 40] [--budget total]
    .venv/bin/python bench/reproduce_tdg.py --out runs/tdg-math --math ../shared/data [--teacher gpt-3.5-turbo]

Every method gets the same questions, rationales, seeds, learning rate, rationales a step and steps: with ``--budget
total`` the two stages of NAT share the steps, with ``stage`` each has all of them, as in the paper. Each finished run
adds a line to OUT/results.jsonl and is not repeated, so the work can be stopped, split by --seeds and --methods, and
gone on with. ``--table`` prints the tables and the verdicts on the claims from what is there.

Three explanations of NAT's gain are told apart: capacity (``wide-lora`` and ``no-negatives`` have NAT's parameters
and no wrong rationale), more data (``mix`` and ``sequential`` see the wrong ones with a plain LoRA), and the unit.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy import stats
from tdg_world import DOMAINS, KINDS, draw_questions, teach

from aurify.distillation import DistillSettings, run_distillation
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.questions import Question
from aurify.settings import resolve

VARIANTS = ("no-negatives", "random-negatives", "wide-lora", "sequential", "fixed", "no-offset", "linear-value")
FROM_NAT = ("nce", "nce-token", "augment", "self-kd")
METHODS = ("kd", "mix", "cl", "nt", "ul", "nat", *VARIANTS, *FROM_NAT)
TWO_STAGES = ("nat", "random-negatives", "sequential", "fixed", "no-offset", "linear-value")

CLAIMS = (
    ("NAT beats CoT-KD", "nat", "kd"),
    ("NAT beats MIX", "nat", "mix"),
    ("NAT beats CL", "nat", "cl"),
    ("NAT beats NT", "nat", "nt"),
    ("NAT beats UL", "nat", "ul"),
    ("MIX is toxic: below CoT-KD", "kd", "mix"),
    ("the negatives matter: NAT beats its unit without a Neg-LoRA", "nat", "no-negatives"),
    ("what they say matters: NAT beats itself with its Neg-LoRA shuffled", "nat", "random-negatives"),
    ("it is not capacity: NAT beats a plain LoRA of as many parameters", "nat", "wide-lora"),
    ("it is not just more data: NAT beats a LoRA trained on wrong, then on right ones", "nat", "sequential"),
    ("the unit matters: NAT beats a fixed extrapolation", "nat", "fixed"),
    ("the offset matters", "nat", "no-offset"),
    ("the bottleneck value matters (the paper's equation 5 has none)", "nat", "linear-value"),
    ("NCE beats plain self-distillation", "nce", "self-kd"),
    ("NCE beats plain self-augmentation", "nce", "augment"),
    ("NCE beats NAT", "nce", "nat"),
)


NOTES = """NAT is negative assistant training, NCE (nce, nce-token) negative calibrated enhancement. nce, nce-token,
augment and self-kd come after NAT: its training and their fresh samples cost them more than the others, so their claims
against NAT are not at equal budget. Claims are decided by a 95 % t interval of the paired difference over the seeds,
uncorrected: of twenty claims that are not so, one would seem to hold or not to; with fewer than 5 seeds a claim is only
a hint."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--test", type=int, default=300, help="held-out questions, in and out of domain each")
    parser.add_argument("--samples", type=int, default=8, help="of the teacher, a question")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rationales", type=int, default=8, help="a step")
    parser.add_argument("--budget", choices=["total", "stage"], default="total")
    parser.add_argument("--repeats", choices=["once", "keep"], default="keep", help="what repeats another, as drawn")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--targets", nargs="+", default=["q_proj", "v_proj"], metavar="LAYER")
    parser.add_argument("--base-steps", type=int, default=400, help="of the MATH part")
    parser.add_argument("--max-new-tokens", type=int, default=160)
    parser.add_argument("--math", type=Path, help="the folder of the published data: the MATH part instead")
    parser.add_argument("--teacher", default="gpt-3.5-turbo")
    parser.add_argument("--table", action="store_true", help="print the tables from the results that are there")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    same_settings(args)
    if not args.table:
        (run_math if args.math else run_world)(args)
    print_tables(args.out)


def same_settings(args: argparse.Namespace) -> None:
    """Refuse to mix runs of other sizes, rates or budgets in one table."""
    free = ("out", "seeds", "methods", "kinds", "table")
    told = {key: str(value) for key, value in sorted(vars(args).items()) if key not in free}
    path = args.out / "settings.json"
    before = {"repeats": "once", **json.loads(path.read_text(encoding="utf-8"))} if path.exists() else told
    if args.table:
        return
    if before != told:
        changed = [key for key in told if before.get(key) != told[key]]
        raise SystemExit(f"{args.out}: its runs had other settings ({', '.join(changed)}): name another --out")
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def run_world(args: argparse.Namespace) -> None:
    """The nugget as student, and a noisy teacher, for every kind of negatives and seed."""
    for kind in args.kinds:
        for seed in args.seeds:
            tests = {name: draw_questions(args.test, name, 10_000 + seed) for name in DOMAINS}
            train = draw_questions(args.questions, "in", seed)
            table = args.out / f"teacher-{kind}-{seed}.jsonl"
            table.write_text("".join(json.dumps(row) + "\n" for row in teach(train, args.samples, kind, seed)))
            base = {"method": "base", "kind": kind, "seed": seed}
            if not found_before(args.out, base):
                record(args.out, {**base, **accuracies(args, "nugget", tests)})
            for method in args.methods:
                run_one(args, kind, seed, method, "nugget", table, train, tests)


def run_math(args: argparse.Namespace) -> None:
    """The real teacher, and a small model that starts at random; judged by held-out likelihood."""
    import tdg_math as math_part

    base, table = args.out / "base", args.out / f"{args.teacher}-{args.questions}.jsonl"
    if not (base / "config.json").is_file():
        math_part.build_base(args.math / "math" / "train.jsonl.gz", base, args.base_steps)
    if not table.exists():
        math_part.subset(args.math / "math_teacher" / f"{args.teacher}.jsonl.gz", table, args.questions)
    for seed in args.seeds:
        for method in args.methods:
            run_one(args, args.teacher, seed, method, str(base), table)


def run_one(
    args: argparse.Namespace,
    kind: str,
    seed: int,
    method: str,
    base: str,
    table: Path,
    train: Sequence[Question] | None = None,
    tests: Mapping[str, Sequence[Question]] | None = None,
) -> None:
    """One run and its measures, unless they are there; without ``train`` the table holds the questions too."""
    key = {"method": method, "kind": kind, "seed": seed}
    if found_before(args.out, key):
        return
    runs = args.out / "runs" / f"{kind}-{seed}"
    out, begun = runs / method, time.perf_counter()
    shutil.rmtree(out, ignore_errors=True)
    words: dict[str, Any] = {
        "from_": str(table), "data": str(table), "out": str(out), "seed": seed, "lr": args.rate,
        "rationales": args.rationales, "lora_targets": args.targets, "eval_limit": 0,
        "max_new_tokens": args.max_new_tokens, "save_every": 10**6, "max_tokens": 768,
        "repeats": args.repeats,
        "steps": args.steps // 2 if method in TWO_STAGES and args.budget == "total" else args.steps,
    }  # fmt: skip
    words |= {"eval_limit": 100, "holdout": 0.2} if args.math else {"holdout": 0.0}
    if args.math:
        words |= {"answers": "math", "max_new_tokens": 8 if method not in FROM_NAT else 64}
    if method in FROM_NAT:
        if not (runs / "nat" / "model").is_dir():
            run_one(args, kind, seed, "nat", base, table, train, tests)
        words |= {"method": method.partition("-token")[0], "model": str(runs / "nat" / "model")}
        words |= {"nce_weights": "token"} if method == "nce-token" else {}
    else:
        words |= {"method": "nat" if method in VARIANTS else method, "model": base}
        words |= {"variant": method} if method in VARIANTS else {}
    run_distillation(resolve(DistillSettings, words), questions=train, held_out=None if args.math else [])
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    trained = sum(line["tokens"] for line in lines if "loss" in line)
    found = {**key, "steps": sum("loss" in line for line in lines), "tokens": trained}
    if args.math:
        likelihood = [line["held_out_likelihood"] for line in lines if "held_out_likelihood" in line]
        found |= {"start": likelihood[0], "end": likelihood[-1]}
        found |= {"in": likelihood[-1]["preferred"], "out": likelihood[-1]["right"] - likelihood[-1]["wrong"]}
    elif tests:
        found |= accuracies(args, str(out / "model"), tests)
    if (out / "nce_weights.jsonl").is_file():
        found["nce_weights"] = json.loads((out / "nce_weights.jsonl").read_text(encoding="utf-8").splitlines()[0])
    record(args.out, {**found, "seconds": time.perf_counter() - begun})
    if method != "nat":
        shutil.rmtree(out)


def accuracies(args: argparse.Namespace, model: str, tests: Mapping[str, Sequence[Question]]) -> dict[str, float]:
    """Greedy accuracy in and out of domain."""
    words = {"model": model, "data": "(bench)", "max_new_tokens": args.max_new_tokens}
    return {
        name: run_evaluation(resolve(EvaluateSettings, words), questions=questions).overall.scores["greedy"].accuracy
        for name, questions in tests.items()
    }


def found_before(out: Path, key: Mapping[str, Any]) -> bool:
    """Whether this run is among the results."""
    return any(all(line[word] == value for word, value in key.items()) for line in results(out))


def record(out: Path, line: dict[str, Any]) -> None:
    """Add a result."""
    with (out / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def results(out: Path) -> list[dict[str, Any]]:
    """What was measured so far."""
    path = out / "results.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def print_tables(out: Path) -> None:
    """Means over seeds, and each claim with the paired difference that decides it."""
    lines = results(out)
    told = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    print("Settings: " + ", ".join(f"{key} {value}" for key, value in told.items()) + ".\n")
    print(NOTES)
    math_part = any("end" in line for line in lines)
    if math_part:
        print(
            "\nThe student's accuracy on MATH would be noise (about 0 before and after), so it is judged by how often "
            "it finds the held-out right rationale of a question likelier, a token, than the wrong one."
        )
    names = ("right preferred %", "right - wrong, nats x100") if math_part else ("in domain %", "out of domain %")
    kinds = list(dict.fromkeys(line["kind"] for line in lines))
    for kind in kinds:
        own = [line for line in lines if line["kind"] == kind]
        print(f"\n## negatives: {kind}\n\n| method | seeds | {names[0]} (sd) | {names[1]} (sd) | tokens |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for method in dict.fromkeys(line["method"] for line in own):
            rows = [line for line in own if line["method"] == method]
            cells = [spread([100 * row[side] for row in rows]) for side in ("in", "out")]
            print(f"| {method} | {len(rows)} | {' | '.join(cells)} | {rows[0].get('tokens', 0)} |")
        print(f"\n| claim | {names[0]}: difference (95 %) | verdict | {names[1]}: difference (95 %) | verdict |")
        print("| --- | ---: | --- | ---: | --- |")
        for text, better, worse in CLAIMS:
            cells = [cell for side in ("in", "out") for cell in decide(own, better, worse, side)]
            print(f"| {text} | {' | '.join(cells)} |")


def decide(lines: list[dict[str, Any]], better: str, worse: str, side: str) -> Iterator[str]:
    """The mean paired difference over seeds with its t interval, and what it says of the claim."""
    scores = {
        method: {line["seed"]: 100 * line[side] for line in lines if line["method"] == method}
        for method in (better, worse)
    }
    seeds = sorted(scores[better].keys() & scores[worse].keys())
    differences = [scores[better][seed] - scores[worse][seed] for seed in seeds]
    if len(differences) < 2:
        yield from ("-", "not measured")
        return
    mean = statistics.mean(differences)
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * statistics.stdev(differences) / math.sqrt(len(differences))
    yield f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f})"
    yield "holds" if mean - half > 0 else "does not" if mean + half < 0 else "cannot be told"


def spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.1f}" + (f" ({statistics.stdev(values):.1f})" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
