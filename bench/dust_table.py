"""The tables of bench/dust_real.py, from its results: measures, claims, overlap of what is solved, cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dust_data import MATH, TESTS, rows, subjects
from reproduce_tdg import CLAIMS, FROM_NAT

from aurify.statistics.crossed import Interval, crossed_mean
from aurify.statistics.paired import accuracy, by_question, compare_pair

LIKELIHOOD = {
    "right": "log p of right rationales, nats a token",
    "wrong": "log p of wrong rationales, nats a token",
    "preferred": "right one likelier, % of pairs",
}
"""What is measured on held-out rationales."""

Values = dict[tuple[str, int], dict[str, float]]
"""By method and seed: what each question came to."""


class Measure(NamedTuple):
    """What was measured of every run."""

    values: Values
    share: bool
    """Whether a value is a share, told in percent; else it is told in nats, and has no bounds."""

    def told(self, found: Interval, sign: str = "") -> str:
        """A value with its interval."""
        scale, digits = (100, 1) if self.share else (1, 4)
        value, low, high = (f"{scale * end:{sign}.{digits}f}" for end in found)
        return f"{value} ({low} to {high})"

    def mean(self, method: str) -> str:
        """A method's value over its seeds and questions."""
        return self.told(accuracy(by_question([found for (name, _), found in self.values.items() if name == method])))

    def seeds(self, first: str, second: str) -> list[int]:
        """The seeds that two methods have; the student as it was given goes with any."""
        own, other = ({seed for name, seed in self.values if name == method} for method in (first, second))
        return sorted(own if second == "base" and other else own & other)

    def difference(self, first: str, second: str) -> Interval | None:
        """The paired difference of two methods; None where there is nothing to compare."""
        seeds = self.seeds(first, second)
        if not seeds or first == second:
            return None
        ours = by_question([self.values[first, seed] for seed in seeds])
        theirs = by_question([self.values[second, 0 if second == "base" else seed] for seed in seeds])
        return (
            compare_pair(first, ours, second, theirs).difference if self.share else crossed_mean(ours - theirs).interval
        )


def print_tables(out: Path, whole_tokens: int, whole_rows: int) -> None:
    """All of them."""
    results = rows(out / "results.jsonl")
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    name = Path(settings["student"]).name
    print(f"## {name}, rationales of {settings['teacher']}\n")
    told = ("problems", "held_out", "tokens", "rationales", "max_tokens", "rate", "samples", "test_rows", "dtype")
    print(", ".join(f"{key.replace('_', ' ')} {settings[key]}" for key in told) + "\n")
    measures = {
        label: Measure(measured(results, "likelihood", key), key == "preferred") for key, label in LIKELIHOOD.items()
    }
    measures |= {f"{test}, % right": Measure(measured(results, test, "right"), True) for test in TESTS}
    measures = {label: found for label, found in measures.items() if found.values}
    asked = [max(map(len, measured(results, "likelihood", side).values()), default=0) for side in LIKELIHOOD]
    print(
        "Held-out problems with short enough rationales: {} with right, {} with wrong, {} with both.\n".format(*asked)
    )
    for label, found in measures.items():
        print_measure(label, found)
    print_claims({label: found for label, found in measures.items() if "wrong rationales" not in label})
    math_file = out / "tests" / f"{MATH}-{settings['test_rows']}.jsonl"
    if (math := measured(results, MATH, "right")) and math_file.exists():
        print_subjects(math, subjects(math_file))
    for test in TESTS:
        print_overlap(test, measured(results, test, "right"))
    print_cost(results, whole_tokens, whole_rows)


def measured(results: Sequence[dict[str, Any]], part: str, key: str) -> Values:
    """One measure of every method and seed that has it."""
    return {(one["method"], one["seed"]): one[key] for one in results if one["part"] == part and one[key]}


def print_measure(label: str, measure: Measure) -> None:
    """A row a method: its value, and its paired difference to the student as it was given and to CoT-KD."""
    print(f"| method | seeds | {label} (95 %) | less the student's own | less CoT-KD's |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for method in dict.fromkeys(method for method, _ in measure.values):
        found = [measure.difference(method, other) for other in ("base", "kd")]
        cells = ["" if one is None else measure.told(one, "+") for one in found]
        seeds = sum(name == method for name, _ in measure.values)
        print(f"| {method} | {seeds} | {measure.mean(method)} | {' | '.join(cells)} |")
    print()


def print_claims(measures: dict[str, Measure]) -> None:
    """The paper's claims, one by one, as far as both methods of a claim were run."""
    known = {method for measure in measures.values() for method, _ in measure.values}
    asked = [claim for claim in CLAIMS if {claim[1], claim[2]} <= known]
    if not asked:
        return
    print("| claim | seeds | " + " | ".join(f"{label}: difference (95 %)" for label in measures) + " |")
    print("| --- | ---: |" + " ---: |" * len(measures))
    for text, better, worse in asked:
        cells = []
        for measure in measures.values():
            found = measure.difference(better, worse)
            if found is None:
                cells.append("")
                continue
            verdict = "holds" if found.low > 0 else "does not" if found.high < 0 else "not told"
            cells.append(f"{measure.told(found, '+')}, {verdict}")
        seeds = max(len(measure.seeds(better, worse)) for measure in measures.values())
        print(f"| {text} | {seeds} | {' | '.join(cells)} |")
    print(
        "\nIntervals are over held-out questions and, from 3 seeds on, over seeds; with fewer they are of these very "
        "runs.\nThey are not corrected for the number of claims.\n"
    )


def print_subjects(values: Values, subject_of: dict[str, str]) -> None:
    """Accuracy on MATH by subject."""
    names = sorted(set(subject_of.values()))
    print("| method, % right | " + " | ".join(names) + " |\n| --- |" + " ---: |" * len(names))
    for method in dict.fromkeys(method for method, _ in values):
        own = [found for (name, _), found in values.items() if name == method]
        cells = []
        for subject in names:
            right = [value for found in own for name, value in found.items() if subject_of[name] == subject]
            cells.append(f"{100 * sum(right) / max(1, len(right)):.1f}")
        print(f"| {method} | {' | '.join(cells)} |")
    print()


def print_overlap(test: str, values: Values) -> None:
    """Table 1 of the paper: what the student of right rationales and that of wrong ones solve, alone and both."""
    seeds = Measure(values, True).seeds("kd", "negative")
    if not seeds:
        return
    print(f"| {test}, seed | both | right ones' student | wrong ones' student | IoU | both, by chance |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for seed in seeds:
        first, second = values["kd", seed], values["negative", seed]
        ours, theirs = ({name for name, right in one.items() if right} for one in (first, second))
        share = len(ours & theirs) / max(1, len(ours | theirs))
        chance = len(ours) * len(theirs) / max(1, len(first))
        print(f"| {seed} | {len(ours & theirs)} | {len(ours)} | {len(theirs)} | {share:.3f} | {chance:.1f} |")
    print()


def print_cost(results: Sequence[dict[str, Any]], whole_tokens: int, whole_rows: int) -> None:
    """What the runs took, and from it what all of them would take at full size.

    Seconds of a processor core count, since a core that others use as well says little by the clock.
    """
    print(
        "| method | seed | stages | steps | rationale tokens | minutes | of a core | tokens a core second | peak GiB |"
    )
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    speeds: dict[str, list[float]] = {}
    for one in results:
        if one["part"] != "train":
            continue
        speed = one["tokens"] / computed(one)
        speeds.setdefault(kind(one["method"]), []).append(speed)
        print(
            f"| {one['method']} | {one['seed']} | {', '.join(one['stages'])} | {one['steps']} | {one['tokens']} "
            f"| {one['seconds'] / 60:.1f} | {computed(one) / 60:.1f} | {speed:.0f} "
            f"| {one['peak_memory_mb'] / 1024:.1f} |"
        )
    drawn = [one for one in results if one["part"] in TESTS]
    a_row = sum(map(computed, drawn)) / max(1, sum(len(one["right"]) for one in drawn))
    measuring = sum(computed(one) for one in results if one["part"] != "train")
    print(f"\nMeasuring took {measuring / 60:.1f} minutes of a core", end="")
    print(f", {a_row:.1f} s a test row.\n" if drawn else "; no test row was answered.\n")
    if not speeds:
        return
    every = [speed for found in speeds.values() for speed in found]
    hours = 0.0
    for name, (seeds, stages) in PLAN.items():
        found = speeds.get(kind(name), every)
        hours += seeds * stages * whole_tokens / (sum(found) / len(found)) / 3600
        hours += seeds * len(TESTS) * whole_rows * a_row / 3600
    answers = f"and {whole_rows} rows of each of {len(TESTS)} test sets" if drawn else "without test rows"
    runs = sum(seeds for seeds, _ in PLAN.values())
    print(
        f"At these speeds {runs} runs of {whole_tokens:,} tokens a stage, {answers}, "
        f"take {hours:.0f} hours of a core:\n{', '.join(f'{name} x {seeds}' for name, (seeds, _) in PLAN.items())}.\n"
    )


def computed(one: dict[str, Any]) -> float:
    """The seconds of a core that a part of a run took."""
    return float(one["seconds"] * one.get("busy", 1.0))


PLAN = {
    "kd": (3, 1), "nat": (3, 2), "no-negatives": (3, 1), "wide-lora": (3, 1), "nce": (3, 1), "mix": (1, 1),
    "cl": (1, 1), "nt": (1, 1), "ul": (1, 1), "random-negatives": (1, 2), "augment": (1, 1), "self-kd": (1, 1),
}  # fmt: skip
"""Seeds and stages of every method of the whole measurement."""


def kind(method: str) -> str:
    """Methods that cost alike."""
    return "teacher" if method in FROM_NAT and method != "augment" else "plain"
