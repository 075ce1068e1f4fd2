"""The TRICE paper's comparison in our means: the nugget, real BIG-Bench Hard rows, every method at equal samples.

    .venv/bin/python bench/reproduce_trice.py ../shared/data/bbh [--scenarios ...] [--tasks ...] [--methods ...]
                                              [--seeds 0 1 2 3 4] [--steps 100] [--trials 5] [--report]

Scenarios: ``in-domain`` (BBH rows, 60/40 split by seed), ``hard-to-easy`` and ``easy-to-hard`` (trained on generated
questions of one difficulty, judged on the other), ``small`` (100 generated training questions), ``rare`` (100 hard
training questions of which no one of 300 samples of the base model is right; the base is the nugget after it was taught
haste, bench/hurried.py, since the nugget answers every question now and then). Every method has the budget of samples
that TRICE needs for ``--steps`` steps of 64 questions, first rationales and hinted tries included; direct and CoT
tuning need none or few and take as many optimiser steps. Learning rates are tuned for each method on a grid that grows
until its best is not at its edge, or ``--trials`` were made (bench/learning_rates.py), on a part of the training
questions only, with a seed of its own (``--tuned-on SCENARIO``: those tuned there, for all). The task ``all`` is all of
them in one run, equal parts of each: 720 training questions where they are generated (100 in ``small``), 480 to be
judged on. Greedy verdicts are of all of these, ``--samples`` of ``--sampled`` of them.

Every run leaves one JSON file in --out; what is there is not run again, so the command goes on where it was stopped.
``--report`` only writes the report (bench/reproduce_report.py) from what is there; beside it stand the verdicts by
question and the counts of right samples (bench/kept_verdicts.py). All of it is some 3,000 runs: choose.
``--steps 2 --seeds 0 --trials 1 --limit 8 --samples 2 --tasks web_of_lies --scenarios in-domain`` tries it out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hurried import hurried
from learning_rates import best_rate
from reproduce_report import write_report

from aurify.errors import AurifyError
from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.files import write_atomically
from aurify.nugget import TASKS, generate
from aurify.questions import Question, load_questions, split_questions
from aurify.rationales import RationaleTable
from aurify.running.budget import Budget, cost_of_step
from aurify.running.metrics import MetricsLog
from aurify.settings import resolve
from aurify.training.run import run_training
from aurify.training.settings import TrainSettings

SCENARIOS = ("in-domain", "hard-to-easy", "easy-to-hard", "small", "rare")
BATCH = 64
"""Questions a step of TRICE; a method with K draws a question has BATCH / K questions a step."""
FIT_STEPS = 4
"""Optimiser steps of the methods that fit from the base, for each step of TRICE; they draw no more for it."""
TUNING_SEED = 1000
TUNING_SAMPLES = 4
"""A question, for p(y|x)."""
ALL = "all"
"""The name of all tasks together, trained on in one run."""
CURVE = 160
"""Test questions of a point of the learning curve, at most."""

METHODS: dict[str, dict[str, Any]] = {
    "base": {},
    "direct": {"method": "direct"},
    "cot": {"method": "cot", "memory": "guide", "samples": 4},
    "star": {"method": "star", "refits": 6},
    "star-online": {"method": "star", "refits": 0},
    "rest-em": {"method": "rest-em", "refits": 3},
    "rejection": {"method": "rejection", "samples": 4},
    "trice-basic": {"method": "trice", "estimator": "basic"},
    "trice": {"method": "trice"},
    "trice-bounded": {"method": "trice", "lr": None},  # by the default bound on a step's effect: no rate is tuned
    "trice-guided": {"method": "trice", "memory": "guide"},
    "trice-unguided": {"method": "trice", "memory": "none"},
    "trice-likelihood": {"method": "trice-likelihood"},
    "jepo": {"method": "jepo", "samples": 4},
    "rloo": {"method": "rloo", "samples": 4},
    "grpo": {"method": "grpo", "samples": 8},
    "trice-suffix": {"method": "trice", "moves": "suffix"},
    "trice-mixed": {"method": "trice", "moves": "mixed"},
    "maxrl": {"method": "maxrl", "samples": 8},
    "nsr": {"method": "negative-reinforcement", "samples": 8, "right_weight": 0.0},
    "weighted-nsr": {"method": "negative-reinforcement", "samples": 8},
}


class Case(NamedTuple):
    """One run: a method on a task in a scenario with a seed and a learning rate."""

    scenario: str
    task: str
    method: str
    seed: int
    rate: float

    @property
    def file(self) -> str:
        return f"{self.scenario}--{self.task}--{self.method}--{self.seed}--{self.rate:g}.json"


def main() -> None:
    args = arguments()
    out: Path = args.out
    (out / "runs").mkdir(parents=True, exist_ok=True)
    if not args.report:
        for scenario in args.scenarios:
            rates = {method: rate_of(args, args.tuned_on or scenario, method) for method in args.methods}
            for seed in args.seeds:
                for task in args.tasks:
                    for method in args.methods:
                        case = Case(scenario, task, method, seed, rates[method])
                        train, test = questions_of(args, scenario, task, seed)
                        measured(args, case, train, test, out / "runs", args.samples)
    write_report(out)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bbh", type=Path, help="the folder of BBH's JSON files")
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--tasks", nargs="+", choices=[*TASKS, ALL], default=list(TASKS))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=100, help="of TRICE; they set everybody's budget of samples")
    parser.add_argument("--trials", type=int, default=5, help="learning rates tried at most, a method and scenario")
    parser.add_argument("--tuning-tasks", nargs="+", choices=[*TASKS, ALL], default=["object_counting", "web_of_lies"])
    parser.add_argument("--tuned-on", choices=SCENARIOS, help="take the rates of this scenario for all")
    parser.add_argument("--rate", type=float, help="one learning rate for all methods, in the place of tuned ones")
    parser.add_argument("--samples", type=int, default=8, help="samples a question, for p(y|x), maj@k and pass@k")
    parser.add_argument("--sampled", type=int, default=0, help="test questions that are sampled; 0: all")
    parser.add_argument("--points", type=int, default=5, help="of each learning curve; 0: none")
    parser.add_argument("--limit", type=int, default=0, help="at most this many training and test questions; 0: all")
    parser.add_argument("--rare-samples", type=int, default=300, help="of which none may be right")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "reproduce_trice")
    parser.add_argument("--report", action="store_true", help="run nothing, write the report")
    return parser.parse_args()


def questions_of(
    args: argparse.Namespace, scenario: str, task: str, seed: int
) -> tuple[list[Question], list[Question]]:
    """(training questions, test questions)."""
    if task == ALL:
        parts = [part_of(args, scenario, one, seed, len(TASKS)) for one in TASKS]
        train, test = ([question for part in side for question in part] for side in zip(*parts, strict=True))
        return train, test
    return part_of(args, scenario, task, seed, 1)


def part_of(
    args: argparse.Namespace, scenario: str, task: str, seed: int, tasks: int
) -> tuple[list[Question], list[Question]]:
    """A task's (training questions, test questions) in a run of ``tasks`` tasks."""
    n_test = 200 if tasks == 1 else 480 // tasks
    if scenario == "in-domain":
        train, test = split_questions(list(load_questions(args.bbh / f"{task}.json")), 0.4, seed)
    elif scenario == "rare":
        train, test = rare_questions(args, task, -(-100 // tasks)), generate(task, n_test, seed + 500, "hard")
    else:
        first, second = {"hard-to-easy": ("hard", "easy"), "easy-to-hard": ("easy", "hard")}.get(
            scenario, ("mixed", "mixed")
        )
        n_train = 100 if scenario == "small" else 300 if tasks == 1 else 720
        train = generate(task, -(-n_train // tasks), seed, first)
        test = generate(task, n_test, seed + 500, second)
    seen = {" ".join(question.text.split()) for question in train}
    test = [question for question in test if " ".join(question.text.split()) not in seen]
    return (train[: args.limit], test[: args.limit]) if args.limit else (train, test)


def base_model(args: argparse.Namespace, scenario: str) -> str:
    """What the runs of a scenario begin with."""
    return hurried(args.out / "hurried") if scenario == "rare" else "nugget"


def rare_questions(args: argparse.Namespace, task: str, wanted: int) -> list[Question]:
    """Hard questions of which no sample of the base model is right, the same for all seeds; finding them is costly."""
    path = args.out / f"rare-{task}-{args.rare_samples}-{args.limit}-{wanted}.json"
    pool = generate(task, args.limit * 3 if args.limit else 1000, 0, "hard")
    if not path.exists():
        found: list[str] = []
        for begin in range(0, len(pool), 2 * wanted):
            if len(found) < wanted:
                found += [q.id for q in never_right(args, pool[begin : begin + 2 * wanted])]
        write_atomically(path, json.dumps(found[:wanted]))
    ids = set(json.loads(path.read_text(encoding="utf-8")))
    return [question for question in pool if question.id in ids]


def never_right(args: argparse.Namespace, questions: Sequence[Question]) -> Sequence[Question]:
    """Those of which none of ``--rare-samples`` samples is right; most are soon seen not to be."""
    kept, drawn = questions, 0
    for samples in (8, 24, 64, args.rare_samples - 96):
        if samples > 0 and kept:
            right = right_samples(base_model(args, "rare"), kept, samples, seed=drawn)
            kept = [question for question, n in zip(kept, right, strict=True) if n == 0]
            drawn += samples
    return kept


def right_samples(model: str, questions: Sequence[Question], samples: int, seed: int) -> list[int]:
    """How many of a model's samples are right, for each question."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"model": model, "data": "generated", "samples": samples, "seed": seed, "out": f"{folder}/out"}
        run_evaluation(resolve(EvaluateSettings, settings), questions=questions)
        right: dict[str, int] = {}
        for row in RationaleTable(Path(folder) / "out" / "samples").read():
            right[row.question_id] = right.get(row.question_id, 0) + row.right
    return [right[question.id] for question in questions]


def rate_of(args: argparse.Namespace, scenario: str, method: str) -> float:
    """The learning rate to run a method at; 0 for one that finds its own."""
    return 0.0 if "lr" in METHODS[method] else tuned_rate(args, scenario, method)


def tuned_rate(args: argparse.Namespace, scenario: str, method: str) -> float:
    """The learning rate with the best p(y | x) on a quarter of the training questions, never on test questions.

    Not the best greedy accuracy: that is near 100 % for most rates, and so tells nothing.
    """
    if args.rate:
        return float(args.rate)
    (args.out / "tuning").mkdir(exist_ok=True)

    def likelihood(rate: float) -> float:
        means = []
        for task in args.tuning_tasks:
            train, _ = questions_of(args, scenario, task, TUNING_SEED)
            fit, validation = split_questions(train, 0.25, TUNING_SEED)
            case = Case(scenario, task, method, TUNING_SEED, rate)
            found = measured(args, case, fit, validation, args.out / "tuning", TUNING_SAMPLES)["sampled"]
            means.append(sum(found.values()) / len(found))
        return sum(means) / len(means)

    return best_rate(likelihood, 1 if method == "base" else args.trials)


def measured(
    args: argparse.Namespace, case: Case, train: Sequence[Question], test: Sequence[Question], folder: Path,
    samples: int,
) -> dict[str, Any]:  # fmt: skip
    """The result of a run: from disk, or by running it."""
    path = folder / case.file
    if path.exists():
        before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if before["steps"] != args.steps or before["limit"] != args.limit or before["n"] != len(test):
            raise SystemExit(f"{path}: of a run with other --steps or --limit: name another --out")
        return before
    begun = time.perf_counter()
    work = Path(tempfile.mkdtemp(prefix="reproduce-"))
    try:
        result = {**case._asdict(), "steps": args.steps, "limit": args.limit, "n": len(test), "trained_on": len(train)}
        model = base_model(args, case.scenario)
        learned: dict[str, Any] = {"curve": [], "noise": []}
        if case.method != "base":
            try:
                learned = trained(args, case, train, test, work / "run")
                model = str(work / "run" / "model")
            except AurifyError as error:  # a method that finds nothing right to learn from stays the base model
                if "no training question has a right rationale" not in str(error):
                    raise
                learned["failed"] = str(error)
        result |= learned
        result |= evaluated(args, case, model, test, samples, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    write_atomically(path, json.dumps(result))
    accuracy = 100 * sum(result["greedy"].values()) / len(test)
    print(f"{path.stem}: greedy {accuracy:.1f} %, {time.perf_counter() - begun:.0f} s", flush=True)
    return result


def trained(
    args: argparse.Namespace, case: Case, train: Sequence[Question], test: Sequence[Question], out: Path
) -> dict[str, Any]:
    """Train, and say what it cost and how it went."""
    own = dict(METHODS[case.method])
    amount = args.steps * BATCH
    fits = case.method in ("direct", "cot", "star", "rest-em")
    if case.method == "rest-em":
        own["samples"] = max(1, amount // (own["refits"] * len(train)))
    per_step = 1 if fits else own.get("samples", 1)
    steps = args.steps * FIT_STEPS if case.method in ("star", "rest-em") else args.steps
    settings = {
        "lr": case.rate, **own, "model": base_model(args, case.scenario), "data": "(bench)", "out": str(out),
        "seed": case.seed, "steps": steps, "questions": max(1, min(BATCH // per_step, len(train))),
        "eval_every": max(1, steps // args.points) if args.points and case.seed != TUNING_SEED else 0,
        "eval_limit": CURVE,
        "save_every": steps,
    }  # fmt: skip
    budget = None if case.method in ("direct", "cot") else Budget("samples", amount)
    if budget and not fits:
        settings["steps"] = 10 * steps  # the budget ends it, at smaller batches of a small training set too
    run_training(resolve(TrainSettings, settings), questions=train, held_out=test, budget=budget)
    spent = {"samples": 0.0, "tokens": 0.0, "seconds": 0.0}
    curve, noise = [], []
    for line in MetricsLog(out / "metrics.jsonl").read():
        for kind, cost in cost_of_step(line).items():
            spent[kind] += cost
        if "held_out" in line:
            curve.append([spent["samples"], line["step"], line["held_out"]["accuracy"]])
        elif "acceptance" in line:
            noise.append([line["acceptance"], line["gradient_norm"]])
    return {**spent, "curve": curve, "noise": noise}


def evaluated(
    args: argparse.Namespace, case: Case, model: str, test: Sequence[Question], samples: int, work: Path
) -> dict[str, Any]:
    """Greedy verdicts, the share of right samples by question, maj@k, and the entropy of the samples' tokens."""
    settings = {
        "model": model, "data": "(bench)", "seed": case.seed, "prompt": "direct" if case.method == "direct" else "plain"
    }  # fmt: skip
    every = -(-len(test) // args.sampled) if args.sampled else 1
    sampled = test[::every]  # the tasks stand one after another
    drawn = {**settings, "samples": samples, "out": str(work / "sampled")}
    found = run_evaluation(resolve(EvaluateSettings, drawn), questions=sampled)
    rows = list(RationaleTable(work / "sampled" / "greedy").read())
    if every > 1:
        others = [question for i, question in enumerate(test) if i % every]
        run_evaluation(resolve(EvaluateSettings, {**settings, "out": str(work / "others")}), questions=others)
        rows += RationaleTable(work / "others" / "greedy").read()
    right: dict[str, float] = {}
    nats = tokens = 0.0
    for row in RationaleTable(work / "sampled" / "samples").read():
        right[row.question_id] = right.get(row.question_id, 0.0) + row.right / samples
        nats, tokens = nats - (row.logprob or 0.0), tokens + len(row.token_ids)
    return {
        "greedy": {row.question_id: row.right for row in rows},
        "drawn": samples,
        "sampled": right,
        "maj": found.overall.scores[f"maj@{samples}"].accuracy,
        "entropy": nats / tokens,
    }


if __name__ == "__main__":
    main()
