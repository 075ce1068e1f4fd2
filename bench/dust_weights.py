"""Which tokens NAT's unit and NCE weigh: tables and a picture from the finished runs of bench/dust_real.py.

    .venv/bin/python bench/dust_weights.py runs/dust-smol/runs/nat-0 runs/dust-smol/runs/nce-0 [--picture weights.png]

Any run of ``aurify distill nat`` or ``nce`` will do. A unit's weight on the negative side is 0 where it does not look
there and at most 1/2 to either side; below 0 it takes away what the negative adapter knows. NCE's weight of a token by
itself is 1/2 where NAT and its negative adapter agree, and grows to 3/2; in the loss a rationale has one weight of its
mean divergence.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dust_data import rows

FILES = {"unit_weights.jsonl": "weight of NAT's unit on the negative side", "nce_weights.jsonl": "NCE's weight"}
SHOWN = 12
"""Tokens on either side."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="+", help="the folder of a finished run")
    parser.add_argument("--picture", type=Path, help="a PNG of the most extreme tokens")
    args = parser.parse_args()
    found = {f"{run.name}: {FILES[file.name]}": rows(file) for run in args.run for file in files_of(run)}
    for label, lines in found.items():
        print("\n".join(table(label, lines)) + "\n")
    if args.picture:
        draw({label: tokens_of(lines) for label, lines in found.items()}, args.picture)


def files_of(run: Path) -> list[Path]:
    """The files of weights that a run has left."""
    found = [run / name for name in FILES if (run / name).is_file()]
    if not found:
        raise SystemExit(f"{run}: neither {' nor '.join(FILES)} there: give a finished run of nat or nce")
    return found


def tokens_of(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The most extreme tokens, least first."""
    told = [line for line in lines if "token" in line]
    return told if len(told) <= 2 * SHOWN else told[:SHOWN] + told[-SHOWN:]


def table(label: str, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The spread over all tokens and by part, then the most extreme tokens."""
    yield f"| {label} | tokens | mean | least | 5 % | median | 95 % | most |"
    yield "| --- |" + " ---: |" * 7
    for name, line in parts(lines):
        at = [line["quantiles"][mark] for mark in ("0", "0.05", "0.5", "0.95", "1")]
        yield f"| {name} | {line['tokens']:,} | {' | '.join(f'{value:.4f}' for value in (line['mean'], *at))} |"
    rationales = [line["weight"] for line in lines if "weight" in line]
    if rationales:
        yield f"\nOf {len(rationales)} rationales the mean weight is {min(rationales):.4f} to {max(rationales):.4f}."
    yield "\n| token, occurring often | times | mean weight |\n| --- | ---: | ---: |"
    for line in tokens_of(lines):
        yield f"| `{shown(line['token'])}` | {line['tokens']} | {line['mean']:.5f} |"


def parts(lines: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The spreads that are told, but for those of single layers: the two layers of the least and the greatest mean."""
    layers = sorted((line for line in lines if "layer" in line), key=lambda line: line["mean"])
    for line in [line for line in lines if "quantiles" in line and "layer" not in line] + layers[:1] + layers[-1:]:
        if "positions" in line:
            yield "tokens {} to {}".format(*line["positions"]), line
        elif "right" in line:
            yield f"{'right' if line['right'] else 'wrong'} rationales", line
        else:
            yield line.get("layer", "all"), line


def shown(token: str) -> str:
    """A token's text, whatever it holds, in a cell."""
    return json.dumps(token, ensure_ascii=False)[1:-1].replace("|", "\\|").replace("`", "'")


def draw(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """A bar a token, a panel a run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    most = max(map(len, found.values()))
    figure, panels = pyplot.subplots(1, len(found), figsize=(5 * len(found), 1 + 0.22 * most), squeeze=False)
    for axes, (label, lines) in zip(panels[0], found.items(), strict=True):
        means = [line["mean"] for line in lines]
        axes.barh(range(len(lines)), means, color=["tab:red" if mean < 0 else "tab:blue" for mean in means])
        tokens = [json.dumps(line["token"], ensure_ascii=False)[1:-1] for line in lines]
        texts = [token.replace("\\\\", "\\").replace("$", "\\$") for token in tokens]
        axes.set_yticks(range(len(lines)), texts, fontsize=8, family="monospace")
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("mean over layers and places", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
