"""The table of bench/uses_of_wrong.py, from its results."""

from __future__ import annotations

import json
from pathlib import Path

from dust_data import rows
from dust_table import Measure, computed, measured

from aurify.statistics.crossed import Interval

TOLD = ("problems", "tokens", "rationales", "rate", "preference_rate", "held_out", "test_rows", "votes", "dtype")
AGAINST = (("nce", "kd-twice"), ("nat", "no-negatives"), ("asc", "sc"))
"""Comparisons beside those with kd: at equal tokens, with the same unit, with the same votes."""
BEFORE = {"kd+dpo": "kd-half", "kd+kto": "kd-half", "nce": "nat", "sc": "kd", "asc": "kd"}
"""What was trained before, and counts."""


def print_uses(out: Path) -> None:
    """A row a method: tokens, every measure with its paired difference to kd; then comparisons that are not to kd."""
    results = rows(out / "results.jsonl")
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    print(f"## {Path(settings['student']).name}\n")
    print(", ".join(f"{key.replace('_', ' ')} {settings[key]}" for key in TOLD) + "\n")
    tests = list(dict.fromkeys(one["part"] for one in results if one["part"] not in ("train", "likelihood")))
    measures = {f"{test}, % right": Measure(measured(results, test, "right"), True) for test in tests}
    measures["log p of right ones"] = Measure(measured(results, "likelihood", "right"), False)
    measures["pairs in order, %"] = Measure(measured(results, "likelihood", "preferred"), True)
    trained = {(one["method"], one["seed"]): one for one in results if one["part"] == "train"}
    names = list(dict.fromkeys(one["method"] for one in results))
    seeds = sorted({seed for name, seed in trained if name == "kd"})
    told = ", ".join(map(str, seeds))
    print(f"Seeds {told}. Brackets: 95 % intervals over seeds and questions; Δ: less kd, paired.\n")
    head = [cell for label in measures for cell in (label, "Δ")]
    print(f"| use | tokens | core seconds | {' | '.join(head)} |")
    print("| --- |" + " ---: |" * (len(head) + 2))
    for name in names:
        stages = [name, BEFORE[name]] if name in BEFORE else [name]
        runs = [[one for (method, _), one in trained.items() if method == stage] for stage in stages]
        cells = [sum_of([[one["tokens"] for one in found] for found in runs])]
        cells.append(sum_of([[computed(one) for one in found] for found in runs]))
        for found in measures.values():
            known = any(method == name for method, _ in found.values)
            difference = less_kd(found, name) if known else None
            cells += [value_of(found, name) if known else "", found.told(difference, "+") if difference else ""]
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    asked = [(first, second) for first, second in AGAINST if first in names and second in names]
    if asked:
        print(f"| less | {' | '.join(measures)} |\n| --- |" + " ---: |" * len(measures))
        for first, second in asked:
            found = [measure.difference(first, second) for measure in measures.values()]
            told = ["" if one is None else m.told(one, "+") for m, one in zip(measures.values(), found, strict=True)]
            print(f"| {first} less {second} | {' | '.join(told)} |")
        print()


def less_kd(measure: Measure, method: str) -> Interval | None:
    """Its paired difference to kd; the student as it stands, which was measured once, goes with every seed of kd."""
    if method != "base":
        return measure.difference(method, "kd")
    found = measure.difference("kd", "base")
    return found and Interval(-found.value, -found.high, -found.low)


def value_of(measure: Measure, method: str) -> str:
    """The mean alone; its difference has the interval."""
    return measure.mean(method).partition(" ")[0]


def sum_of(stages: list[list[float]]) -> str:
    """The sum of the stages' means, rounded; empty where nothing was trained."""
    found = [sum(values) / len(values) for values in stages if values]
    return f"{sum(found):,.0f}" if found else ""
