"""Is a method's lead in p(y | x) sharpness? The models of bench/reproduce_trice.py (in domain), sampled colder.

    .venv/bin/python bench/colder_samples.py ../shared/data/bbh [--methods trice star-online] [--seed 0] [--rate 8e-4]
                                             [--steps 60] [--limit 0]

Prints the share of right samples of all tasks' test questions at each temperature. Two minutes a method on one core.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from reproduce_trice import ALL, METHODS, Case, questions_of, trained

from aurify.evaluation.run import run_evaluation
from aurify.evaluation.settings import EvaluateSettings
from aurify.rationales import RationaleTable
from aurify.settings import resolve

TEMPERATURES = (1.0, 0.8, 0.6, 0.4)
SAMPLES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bbh", type=Path, help="the folder of BBH's JSON files")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=["trice", "star-online"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--limit", type=int, default=0, help="at most this many training and test questions; 0: all")
    args = parser.parse_args()
    args.points = 1
    print("| right samples, percent, at temperature | " + " | ".join(f"{t:g}" for t in TEMPERATURES) + " |")
    print("| --- |" + " ---: |" * len(TEMPERATURES))
    for method in args.methods:
        shares = right_shares(args, Case("in-domain", ALL, method, args.seed, args.rate))
        print(f"| {method} | " + " | ".join(f"{share:.1f}" for share in shares) + " |", flush=True)


def right_shares(args: argparse.Namespace, case: Case) -> list[float]:
    """Percent of right samples at each temperature."""
    train, test = questions_of(args, case.scenario, case.task, case.seed)
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        args.out = Path(folder)
        trained(args, case, train, test, args.out / "run")
        for temperature in TEMPERATURES:
            out = args.out / f"at-{temperature:g}"
            settings = {
                "model": str(args.out / "run" / "model"), "data": "(bench)", "samples": SAMPLES, "seed": case.seed,
                "out": str(out), "temperature": temperature,
            }  # fmt: skip
            run_evaluation(resolve(EvaluateSettings, settings), questions=test)
            rows = list(RationaleTable(out / "samples").read())
            shares.append(100 * sum(row.right for row in rows) / len(rows))
    return shares


if __name__ == "__main__":
    main()
