"""``python -m aurify.nugget``: rebuild the embedded model, or print the table of what it can do."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import torch

from aurify.nugget import path
from aurify.nugget.pretrain import Recipe, pretrain
from aurify.nugget.report import measure, render


def main() -> None:
    """Rebuild (``--out``), report (``--report``), or both in this order."""
    parser = argparse.ArgumentParser(prog="python -m aurify.nugget", description=__doc__)
    parser.add_argument("--out", type=Path, help="rebuild the model folder from scratch, here")
    parser.add_argument("--report", action="store_true", help="print the table by task")
    parser.add_argument("--model", type=Path, default=None, help="the folder to report on (default: the embedded one)")
    parser.add_argument("--bbh", type=Path, default=Path("../shared/data/bbh"), help="BBH's JSON files, if at hand")
    parser.add_argument("--n", type=int, default=100, help="questions a figure")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    args = parser.parse_args()
    if not args.out and not args.report:
        parser.error("nothing to do: give --out DIR or --report")
    if args.out:
        torch.set_flush_denormal(True)  # of the whole process, so not in a function that others may call
        pretrain(args.out, Recipe(**{f.name: getattr(args, f.name) for f in fields(Recipe)}))
    if args.report:
        folder = args.model or args.out or path()
        print(render(measure(folder, args.n, args.bbh), args.n))


if __name__ == "__main__":
    main()
