"""Verdicts of a bench's runs by question, kept beside its results, so that their comparison can be computed again.

    .venv/bin/python bench/kept_verdicts.py bench/results/NAME.verdicts.jsonl [--against METHOD]

A line holds the questions of one seed (and of a scenario or task, where the bench has some) and, for each method, a
string of their verdicts in this order, 1 for a right greedy answer: ``{"part": "in-domain", "seed": 0,
"questions": [...], "right": {"trice": "0110..."}}``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aurify.files import write_atomically
from aurify.statistics.paired import by_question, compare_all

Verdicts = Mapping[str, Mapping[str, float]]
"""By method, then by question id, 1 where right."""


def keep(path: Path, parts: Iterable[tuple[str, int, Verdicts]]) -> None:
    """Write (part, seed, verdicts), each of whose methods were asked the same questions."""
    lines = []
    for part, seed, verdicts in parts:
        questions = sorted(next(iter(verdicts.values())))
        right = {method: "".join(str(int(own[id])) for id in questions) for method, own in verdicts.items()}
        lines.append(json.dumps({"part": part, "seed": seed, "questions": questions, "right": right}))
    write_atomically(path, "\n".join(lines) + "\n")


def kept(path: Path) -> Iterator[tuple[str, int, Verdicts]]:
    """What ``keep`` wrote."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        right = {
            method: dict(zip(row["questions"], map(float, verdicts), strict=True))
            for method, verdicts in row["right"].items()
        }
        yield row["part"], row["seed"], right


def table(path: Path, against: str | None) -> Iterator[str]:
    """Every pair of methods of every part, by the rules of ``aurify compare``."""
    parts: dict[str, list[Verdicts]] = {}
    for part, _, verdicts in kept(path):
        parts.setdefault(part, []).append(verdicts)
    yield "| part | difference | points (95 %) | p | p (Holm) | persistence | better |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--against", help="compare every method with this one only")
    args = parser.parse_args()
    print("\n".join(table(args.file, args.against)))


if __name__ == "__main__":
    main()
