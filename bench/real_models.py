"""Methods on a real pretrained model, through the command line: resumable, one table.

    .venv/bin/python bench/real_models.py models/qwen2.5-coder-0.5b-instruct ../shared/data/asdiv/asdiv.jsonl \
        --methods trice --seeds 0 1 2 --steps 40 --out runs/real -- --few-shot worked.txt --memory none

What stands after `--` goes to `aurify train` as it is. A run that was stopped is resumed by the same command, and one
that is finished is read: in ``--kept`` too, a file of finished runs (``kept_runs.py``) that gets those of this call, so
that several machines can share the seeds. The first table holds held-out greedy accuracy before and after, the share of
right fresh proposals in the first and last quarter of the steps (which is p(y|x) on training questions as they come),
the largest effect of a step, minutes and memory. The second holds the changes over all seeds, paired by question: of
greedy answers and, with ``--samples``, of samples of the first ``--sampled`` held-out questions. Its intervals are
those of ``aurify compare``: with fewer than three seeds they are of these very runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import kept_runs

from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.parsing import read_toml
from aurify.questions import load_questions
from aurify.rationales import Rationale, RationaleTable
from aurify.settings import resolve
from aurify.statistics.crossed import ACCURACY, DIFFERENCE, Added, crossed_mean
from aurify.statistics.paired import by_question

Verdicts = Mapping[str, float]
"""By question id, the share of its answers that are right."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder of weights (see CONTRIBUTING.md), or a hub name")
    parser.add_argument("data", type=Path)
    parser.add_argument("--methods", nargs="+", default=["trice"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--limit", type=int, default=300, help="held-out questions")
    parser.add_argument("--samples", type=int, default=0, help="a held-out question, before and after; 0: none")
    parser.add_argument("--sampled", type=int, default=100, help="held-out questions that are sampled")
    parser.add_argument("--out", type=Path, default=Path("runs/real"))
    parser.add_argument("--kept", type=Path, help="a file of finished runs")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    args.more = words[cut + 1 :]
    print("| method | seed | " + " | ".join(COLUMNS) + " |")
    print("| --- | ---: |" + " ---: |" * len(COLUMNS), flush=True)
    runs = {method: [finished(args, method, seed) for seed in args.seeds] for method in args.methods}
    print("\n| method | answers | before | after | change, paired by question (95 %) |")
    print("| --- | --- | ---: | ---: | ---: |")
    for method in args.methods:
        print(change(f"{method} | greedy", [run["greedy"] for run in runs[method]]))
        if args.samples:
            kept = f"{method} | {args.samples} samples of {args.sampled}"
            print(change(kept, [run["sampled"] for run in runs[method]]))


def finished(args: argparse.Namespace, method: str, seed: int) -> dict[str, Any]:
    """What a run has found, which is made where it is not known; its row is printed."""
    names = ("model", "data", "steps", "limit", "samples", "sampled")
    asked = kept_runs.told({**{n: getattr(args, n) for n in names}, **{str(i): w for i, w in enumerate(args.more)}})
    known = [run for run in kept_runs.read(args.kept, asked) if (run["method"], run["seed"]) == (method, seed)]
    if not known:
        out = folder(args, method, seed)
        train(args, method, seed, out)
        known = [{"method": method, "seed": seed, "row": row(out / "metrics.jsonl"), "greedy": greedy(out)}]
        if args.samples:
            known[0]["sampled"] = [sampled(args, out, when) for when in ("before", "after")]
        if args.kept:
            kept_runs.add(args.kept, asked, known[0])
    print(f"| {method} | {seed} | " + " | ".join(known[0]["row"]) + " |", flush=True)
    return known[0]


def folder(args: argparse.Namespace, method: str, seed: int) -> Path:
    """Of one run."""
    out: Path = args.out / f"{args.model.name}-{args.data.stem}-{method}-{seed}"
    return out


def train(args: argparse.Namespace, method: str, seed: int, out: Path) -> None:
    """Begin a run, go on with it, or leave it where it is finished."""
    if (out / "model").is_dir():
        return
    command = [
        sys.executable, "-m", "aurify", "train", method, "--model", str(args.model), "--data", str(args.data),
        "--seed", str(seed), "--steps", str(args.steps), "--eval-limit", str(args.limit), "--out", str(out),
        "--save-every", "2", *args.more, *(["--resume"] if out.is_dir() else []),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")


COLUMNS = (
    "before (95 %)", "after (95 %)", "points", "right, first quarter", "right, last quarter", "largest KL", "raised",
    "minutes", "GiB",
)  # fmt: skip


def row(metrics: Path) -> list[str]:
    """A finished run's figures."""
    lines = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    before, *_, after = [line["held_out"] for line in lines if "held_out" in line]
    steps = [line for line in lines if "updated" in line]
    quarter = max(1, len(steps) // 4)
    return [
        accuracy(before), accuracy(after), f"{100 * (after['accuracy'] - before['accuracy']):+.1f}",
        right(steps[:quarter]), right(steps[-quarter:]), f"{max(values(steps, 'kl'), default=0):.3f}",
        f"{100 * statistics.mean(values(steps, 'raised') or [0.0]):.0f} %",
        f"{sum(line['timing']['seconds'] for line in lines) / 60:.0f}",
        f"{max(line['timing']['peak_memory_mb'] for line in steps) / 1024:.1f}",
    ]  # fmt: skip


def change(name: str, pairs: Sequence[tuple[Verdicts, Verdicts]]) -> str:
    """A row of the second table: (before, after) of each seed's run."""
    before, after = ([pair[i] for pair in pairs] for i in range(2))
    differences = [{q: second[q] - first[q] for q in first} for first, second in pairs]
    cells = [percent(before, ACCURACY), percent(after, ACCURACY), percent(differences, DIFFERENCE, sign="+")]
    return f"| {name} | {' | '.join(cells)} |"


def percent(runs: Sequence[Verdicts], added: Sequence[Added], sign: str = "") -> str:
    """The mean over runs and questions, with its interval."""
    found = crossed_mean(by_question(runs), added).interval
    return f"{100 * found.value:{sign}.1f} ({100 * found.low:{sign}.1f} to {100 * found.high:{sign}.1f})"


def greedy(run: Path) -> tuple[Verdicts, Verdicts]:
    """Held-out greedy verdicts of a run, before its first step and after its last."""
    steps: dict[int, list[Rationale]] = defaultdict(list)
    for rationale in RationaleTable(run / "held_out").read():
        steps[rationale.step].append(rationale)
    return shares(steps[min(steps)]), shares(steps[max(steps)])


def sampled(args: argparse.Namespace, run: Path, when: str) -> Verdicts:
    """Of some held-out questions, the share of samples that are right, of the base or of the run's model."""
    ids = sorted(greedy(run)[0])[: args.sampled]
    model = args.model if when == "before" else run / "model"
    asked = read_toml(run / "config.toml")
    data = Path(asked.get("eval_data") or args.data)
    return drawn(model, data, ids, args.samples, asked, run / f"sampled-{when}")


def drawn(model: Path, data: Path, ids: Sequence[str], samples: int, asked: Mapping[str, Any], out: Path) -> Verdicts:
    """The share of a model's samples of these questions that are right, asked as a run's settings say; kept in out."""
    if not (out / "samples").is_dir():
        kept = ("prompt", "few_shot", "system", "template_args", "max_new_tokens")
        settings = {
            **{name: asked[name] for name in kept if name in asked}, "data": str(data), "out": str(out),
            "model": str(model), "samples": samples,
        }  # fmt: skip
        questions = [question for question in load_questions(data) if question.id in set(ids)]
        run_evaluation(resolve(EvaluateSettings, settings), questions=questions)
    return shares(RationaleTable(out / "samples").read())


def shares(rationales: Iterable[Rationale]) -> Verdicts:
    """The share of right ones, by question."""
    found: dict[str, list[bool]] = defaultdict(list)
    for rationale in rationales:
        found[rationale.question_id].append(rationale.right)
    return {question: statistics.mean(right) for question, right in found.items()}


def accuracy(found: dict[str, float]) -> str:
    """Percent right with its interval."""
    return f"{100 * found['accuracy']:.1f} ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def right(steps: Sequence[dict[str, Any]]) -> str:
    """The share of right proposals in some steps."""
    counts = [line["verdicts"] for line in steps]
    drawn = sum(sum(count.values()) for count in counts)
    return f"{100 * sum(count.get('right', 0) for count in counts) / max(1, drawn):.1f} % of {drawn}"


def values(steps: Sequence[dict[str, Any]], name: str) -> list[float]:
    """What the steps say under a name."""
    return [line[name] for line in steps if name in line]


if __name__ == "__main__":
    main()
