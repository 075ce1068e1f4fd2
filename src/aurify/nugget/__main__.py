"""``python -m aurify.nugget``: rebuild the embedded model, print what it can do, or write questions that it knows."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from aurify.nugget import TASKS, different, json_line, path
from aurify.nugget.recipe import Recipe


def main() -> None:
    """Rebuild (``--out``), report (``--report``), or both in this order; or write questions (``--questions``)."""
    parser = argparse.ArgumentParser(prog="python -m aurify.nugget", description=__doc__)
    parser.add_argument("--out", type=Path, help="rebuild the model folder from scratch, here")
    parser.add_argument("--report", action="store_true", help="print the table by task")
    parser.add_argument("--questions", metavar="TASK", choices=TASKS, help="print --n questions as JSONL, by --seed")
    parser.add_argument("--model", type=Path, default=None, help="the folder to report on (default: the embedded one)")
    parser.add_argument("--bbh", type=Path, default=Path("../shared/data/bbh"), help="BBH's JSON files, if at hand")
    parser.add_argument("--n", type=int, default=100, help="questions a figure, or to print")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    args = parser.parse_args()
    if args.questions:
        sys.stdout.writelines(json_line(question) for question in different(args.questions, args.n, args.seed))
        return
    if not args.out and not args.report:
        parser.error("nothing to do: give --questions TASK, --report or --out DIR")
    # torch takes longer to import than questions to write.
    if args.out:
        import torch

        from aurify.nugget.pretrain import pretrain

        torch.set_flush_denormal(True)  # of the whole process, so not in a function that others may call
        pretrain(args.out, Recipe(**{f.name: getattr(args, f.name) for f in fields(Recipe)}))
    if args.report:
        from aurify.nugget.report import measure_nugget, render_table

        folder = args.model or args.out or path()
        print(render_table(measure_nugget(folder, args.n, args.bbh), args.n))


if __name__ == "__main__":
    main()
