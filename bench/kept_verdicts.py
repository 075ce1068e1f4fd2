"""Verdicts of a bench's runs by question, kept beside its results, so that their comparison can be computed again.

    .venv/bin/python bench/kept_verdicts.py bench/results/NAME.verdicts.jsonl [--against METHOD] [--pass-at K]

A line holds the questions of one seed (and of a scenario or task, where the bench has some) and, for each method, a
string of their verdicts in this order, 1 for a right greedy answer: ``{"part": "in-domain", "seed": 0,
"questions": [...], "samples": 1, "right": {"trice": "0110..."}}``. Of several samples a question it holds how many are
right, in base 36; their share is compared, or with ``--pass-at`` the chance that one of K is right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from math import comb
from pathlib import Path

import numpy as np

from aurify.files import write_atomically
from aurify.statistics.crossed import persistence
from aurify.statistics.paired import by_question, compare_all

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
Verdicts = Mapping[str, Mapping[str, float]]
"""By method, then by question id, 1 where right, or the share of samples that are."""


def keep(path: Path, parts: Iterable[tuple[str, int, Verdicts]], samples: int = 1) -> None:
    """Write (part, seed, verdicts), each of whose methods were asked the same questions, and drew as many samples."""
    lines = []
    for part, seed, verdicts in parts:
        questions = sorted(next(iter(verdicts.values())))
        right = {
            method: "".join(DIGITS[round(samples * own[id])] for id in questions) for method, own in verdicts.items()
        }
        lines.append(
            json.dumps({"part": part, "seed": seed, "questions": questions, "samples": samples, "right": right})
        )
    write_atomically(path, "\n".join(lines) + "\n")


def kept(path: Path, draws: int | None = None) -> Iterator[tuple[str, int, Verdicts]]:
    """What ``keep`` wrote; with ``draws`` the chance that one of so many of the samples is right."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        samples = row.get("samples", 1)
        right = {
            method: {
                id: pass_at(DIGITS.index(digit), samples, draws) if draws else DIGITS.index(digit) / samples
                for id, digit in zip(row["questions"], counts, strict=True)
            }
            for method, counts in row["right"].items()
        }
        yield row["part"], row["seed"], right


def pass_at(right: int, samples: int, draws: int) -> float:
    """The chance that one of ``draws`` of the samples, drawn without putting back, is right."""
    return 1 - comb(samples - right, draws) / comb(samples, draws)


def table(path: Path, against: str | None, draws: int | None = None) -> Iterator[str]:
    """Every pair of methods of every part, by the rules of ``aurify compare``; how far answers persist over seeds."""
    parts: dict[str, list[Verdicts]] = {}
    for part, _, verdicts in kept(path, draws):
        parts.setdefault(part, []).append(verdicts)
    yield "| part | difference | points (95 %) | p | p (Holm) | persistence | better |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    persist: list[str] = []
    for part, seeds in parts.items():
        methods = [method for method in seeds[0] if all(method in seed for seed in seeds)]
        values = {method: by_question([seed[method] for seed in seeds]) for method in methods}
        for pair in compare_all(values, against=against if against in values else None):
            value, low, high = (100 * part for part in pair.difference)
            returns = "" if pair.persistence is None else f"{pair.persistence:.2f}"
            better = pair.better or ("not told apart" if pair.ahead is None else f"these runs: {pair.ahead}")
            yield (
                f"| {part} | {pair.first} - {pair.second} | {value:.1f} ({low:.1f} to {high:.1f}) | {pair.p:.2g} "
                f"| {pair.p_holm:.2g} | {returns} | {better} |"
            )
        own = {method: persistence(rows) for method, rows in values.items()}
        told = ", ".join(f"{method} {share:.2f}" for method, share in own.items() if share is not None)
        shared = f"{(~np.isnan(next(iter(values.values())))).sum(axis=0).mean():.2f} of {len(seeds)} runs a question"
        persist += [f"{part}: {told} ({shared})"] if told else []
    if persist:
        yield "\nThe correlation of a method's answers to a question in two runs that were both asked it:"
        yield from persist


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--against", help="compare every method with this one only")
    parser.add_argument("--pass-at", type=int, help="of files of samples: the chance that one of so many is right")
    args = parser.parse_args()
    print("\n".join(table(args.file, args.against, args.pass_at)))


if __name__ == "__main__":
    main()
