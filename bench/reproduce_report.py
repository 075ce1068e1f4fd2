"""The report of bench/reproduce_trice.py: tables, learning curves, and the paper's claims one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kept_verdicts import Verdicts, keep, pass_at
from scipy.stats import spearmanr, ttest_1samp

from aurify.statistics.crossed import Interval
from aurify.statistics.paired import Floats, Pair, accuracy, by_question, compare_all

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""By method, the results of one scenario, in one order of (task, seed) for all methods."""

MARGIN = 0.02
"""At least as good: the interval of the difference lies above minus two points."""
STEPS = 10
"""With fewer steps of high or low acceptance their mean gradient norms say nothing."""
ANSWERS, RUNS = 150, 5
"""With fewer test answers (three of them are two points) or runs nothing is claimed."""


def write_report(out: Path) -> None:
    """report.md, curves.png, verdicts.jsonl and samples.jsonl from the JSON files in ``out/runs``.

    Only what all methods of a scenario have counts.
    """
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "runs").glob("*.json"))]
    scenarios = {
        name: complete([one for one in results if one["scenario"] == name]) for name in scenario_names(results)
    }
    parts = ["# The TRICE paper's comparison in our means", "", "By `bench/reproduce_trice.py`, which says how.", ""]
    for name, runs in scenarios.items():
        parts += [f"## {name}", "", *table(runs), "", *rates(runs), *sharpness(runs), *passes(runs), ""]
        parts += tried(name, out / "tuning")
    parts += ["## The paper's claims", "", *claims(scenarios), ""]
    (out / "report.md").write_text("\n".join(parts), encoding="utf-8")
    plot(scenarios, out / "curves.png")
    keep(out / "verdicts.jsonl", verdicts(scenarios, "greedy"))
    samples = {one["drawn"] for one in results}
    if len(samples) == 1:
        keep(out / "samples.jsonl", verdicts(scenarios, "sampled"), *samples)
    print("\n".join(parts))


def verdicts(scenarios: Mapping[str, Runs], kind: str) -> Iterator[tuple[str, int, Verdicts]]:
    """``greedy`` verdicts or ``sampled`` shares by question, of each scenario, task and seed."""
    for name, runs in scenarios.items():
        for same in zip(*runs.values(), strict=True):
            yield f"{name} {same[0]['task']}", same[0]["seed"], {one["method"]: one[kind] for one in same}


def scenario_names(results: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({one["scenario"] for one in results})


def complete(results: Sequence[Mapping[str, Any]]) -> Runs:
    """The results by method, of the (task, seed) that every method has."""
    by_method: dict[str, dict[tuple[str, int], Mapping[str, Any]]] = {}
    for one in results:
        by_method.setdefault(one["method"], {})[(one["task"], one["seed"])] = one
    shared = sorted(set.intersection(*(set(cases) for cases in by_method.values())))
    return {method: [cases[key] for key in shared] for method, cases in by_method.items()}


def values(results: Sequence[Mapping[str, Any]], kind: str) -> Floats:
    """``greedy`` verdicts or ``sampled`` shares: a row for each task and seed, a column a question."""
    return by_question([{f"{one['task']} {id}": value for id, value in one[kind].items()} for one in results])


def right(runs: Runs) -> dict[str, Floats]:
    """Greedy verdicts as ``compare_all`` wants them."""
    return {method: values(results, "greedy") for method, results in runs.items()}


def sampled(results: Sequence[Mapping[str, Any]]) -> Interval:
    """p(y | x), the objective itself."""
    return accuracy(values(results, "sampled"))


def table(runs: Runs) -> list[str]:
    """Accuracy of every method, and its difference from TRICE with the control variate."""
    results = next(iter(runs.values()))
    if not results:
        return ["No task and seed has been run with all methods yet."]
    pairs = against_trice(runs)
    tasks, seeds = sorted({one["task"] for one in results}), sorted({one["seed"] for one in results})
    lines = [
        f"{', '.join(tasks)}; seeds {', '.join(map(str, seeds))}; {sum(one['n'] for one in results)} test answers a",
        "method. Percent with 95 % intervals over runs and questions; the difference is greedy accuracy less TRICE's.",
        "Entropy: nats a token of the samples, so how much the model still varies what it writes.",
        "",
        "| method | greedy | sampled p(y\\|x) | maj@k | entropy | less trice | p (Holm) | samples | tokens | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    greedy = {name: accuracy(rows) for name, rows in right(runs).items()}
    for name in sorted(runs, key=lambda method: -greedy[method].value):
        cells = [name, percent(greedy[name]), percent(sampled(runs[name]))]
        cells.append(f"{100 * np.mean([one['maj'] for one in runs[name]]):.1f}")
        cells.append(f"{np.mean([one['entropy'] for one in runs[name]]):.3f}")
        pair = pairs.get(name)
        cells += [percent(pair.difference), f"{pair.p_holm:.2g}"] if pair else ["", ""]
        cells += [
            f"{np.mean([one.get(kind, 0) for one in runs[name]]):,.0f}" for kind in ("samples", "tokens", "seconds")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    for name, found in runs.items():
        if failed := sum("failed" in one for one in found):
            lines += ["", f"{name} found nothing right to learn from in {failed} of {len(found)} runs: the base model."]
    return lines


def rates(runs: Runs) -> list[str]:
    """With which steps and learning rates these runs were made."""
    results = [one for found in runs.values() for one in found]
    steps = sorted({one["steps"] for one in results})
    chosen = {name: sorted({one["rate"] for one in found}) for name, found in runs.items() if name != "base"}
    told = ", ".join(f"{name} {'/'.join(f'{rate:g}' for rate in found)}" for name, found in chosen.items())
    return [f"--steps {' '.join(map(str, steps))}; learning rates: {told}."] if results else []


def sharpness(runs: Runs) -> list[str]:
    """How p(y | x) goes with the samples' entropy, and with greedy accuracy, over the runs that write rationales."""
    own = [one for name, many in runs.items() if name not in ("base", "direct") for one in many]
    if len(own) < 10:
        return []
    likelihood = [np.mean(list(one["sampled"].values())) for one in own]
    told = []
    for what, values in (
        ("entropy", [one["entropy"] for one in own]),
        ("greedy accuracy", [np.mean(list(one["greedy"].values())) for one in own]),
    ):
        found = spearmanr(likelihood, values)
        told.append(f"{what} {found.statistic:.2f} (p {found.pvalue:.2g})")
    return [
        "",
        f"Rank correlation (Spearman) of p(y|x) over {len(own)} runs with rationales: with {', with '.join(told)}.",
    ]


def passes(runs: Runs) -> list[str]:
    """pass@k of the samples, and at the largest k the difference from TRICE."""
    results = [one for found in runs.values() for one in found]
    samples = min((one["drawn"] for one in results), default=0)
    if samples < 4 or samples != max(one["drawn"] for one in results):
        return []
    draws = [2**i for i in range(samples.bit_length()) if 2**i <= samples]
    found = {
        k: {
            method: by_question([
                {id: pass_at(round(samples * share), samples, k) for id, share in one["sampled"].items()}
                for one in own
            ])
            for method, own in runs.items()
        }
        for k in draws
    }  # fmt: skip
    pairs = {pair.first: pair for pair in compare_all(found[draws[-1]], against="trice")} if "trice" in runs else {}
    lines = ["", f"pass@k, percent, of {samples} samples of each of {len(results[0]['sampled'])} questions a run:", ""]
    lines += ["| method | " + " | ".join(map(str, draws)) + f" | less trice at {draws[-1]} | p (Holm) |"]
    lines += ["| --- |" + " ---: |" * (len(draws) + 2)]
    for method in sorted(runs, key=lambda method: -np.nanmean(found[draws[-1]][method])):
        cells = [f"{100 * np.nanmean(found[k][method]):.1f}" for k in draws]
        pair = pairs.get(method)
        cells += [percent(pair.difference), f"{pair.p_holm:.2g}"] if pair else ["", ""]
        lines.append("| " + " | ".join([method, *cells]) + " |")
    return lines


def tried(scenario: str, folder: Path) -> list[str]:
    """p(y|x) on the tuning questions at each learning rate that was tried."""
    found: dict[str, dict[float, list[float]]] = {}
    for path in sorted(folder.glob(f"{scenario}--*.json")):
        one = json.loads(path.read_text(encoding="utf-8"))
        mean = float(np.mean(list(one["sampled"].values())))
        found.setdefault(one["method"], {}).setdefault(one["rate"], []).append(mean)
    if not found:
        return []
    every = sorted({rate for own in found.values() for rate in own})
    lines = ["p(y|x) on the tuning questions, percent, by learning rate:", ""]
    lines += ["| method | " + " | ".join(f"{rate:g}" for rate in every) + " |", "| --- |" + " ---: |" * len(every)]
    for method, own in found.items():
        cells = [f"{100 * np.mean(own[rate]):.1f}" if rate in own else "" for rate in every]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return [*lines, ""]


def against_trice(runs: Runs) -> dict[str, Pair]:
    if "trice" not in runs or not runs["trice"]:
        return {}
    return {pair.first: pair for pair in compare_all(right(runs), against="trice")}


def claims(scenarios: Mapping[str, Runs]) -> list[str]:
    """Each claim of the paper: holds, does not hold, cannot be told, or not measured yet."""
    lines = ["| claim | where | verdict | measured |", "| --- | --- | --- | --- |"]
    better = {
        "TRICE is better than STaR (the paper's outer loop)": "star",
        "TRICE is better than online STaR": "star-online",
        "TRICE is better than direct tuning": "direct",
        "TRICE is better than CoT tuning on bootstrapped rationales": "cot",
        "TRICE is better than rejection sampling with 4 particles at equal samples": "rejection",
    }
    for scenario, runs in scenarios.items():
        pairs = against_trice(runs)
        if pair := pairs.get("trice-basic"):
            low, high = -pair.difference.high, -pair.difference.low
            verdict = "holds" if low > -MARGIN else "does not hold" if high < -MARGIN else "cannot be told"
            if sum(one["n"] for one in runs["trice"]) < ANSWERS:
                verdict = "cannot be told"
            lines.append(row("The control variate is at least as good as none (2 points)", scenario, verdict, pair))
        for claim, method in better.items():
            if pair := pairs.get(method):
                verdict = {"trice": "holds", None: "cannot be told"}.get(pair.better, "does not hold")
                lines.append(row(claim, scenario, verdict, pair))
        if "trice-basic" in runs and runs.get("trice") and all(len(one["curve"]) > 1 for one in runs["trice"]):
            lines.append(faster(scenario, runs))
    lines += quiet(scenarios)
    return lines


def row(claim: str, scenario: str, verdict: str, pair: Pair) -> str:
    turned = Interval(-pair.difference.value, -pair.difference.high, -pair.difference.low)
    return f"| {claim} | {scenario} | {verdict} | {percent(turned)} points, p {pair.p_holm:.2g} (Holm) |"


def faster(scenario: str, runs: Runs) -> str:
    """The control variate learns faster: mean held-out accuracy over the learning curve, as a paired difference."""
    areas = [
        [np.mean([accuracy for _, _, accuracy in one["curve"][1:]]) for one in runs[method]]
        for method in ("trice", "trice-basic")
    ]
    gaps = np.subtract(*areas)
    bounds = ttest_1samp(gaps, 0).confidence_interval(0.95) if len(gaps) > 1 else (-np.inf, np.inf)
    found = Interval(float(gaps.mean()), *map(float, bounds))
    verdict = "holds" if found.low > 0 else "does not hold" if found.high < 0 else "cannot be told"
    if len(areas[0]) < RUNS:
        verdict = "cannot be told"
    claim = "The control variate learns faster (mean accuracy over the curve)"
    return f"| {claim} | {scenario} | {verdict} | {percent(found)} points, over {len(areas[0])} runs |"


def quiet(scenarios: Mapping[str, Runs]) -> list[str]:
    """The gradient's norm falls as acceptance rises; tests/claims prove that it is 0 where all valid chains accept."""
    points = [point for runs in scenarios.values() for one in runs.get("trice", []) for point in one["noise"]]
    high = [norm for acceptance, norm in points if acceptance >= 0.95]
    low = [norm for acceptance, norm in points if acceptance <= 0.6]
    claim = "| The gradient vanishes as accuracy goes to 1 | all |"
    if min(len(high), len(low)) < STEPS:
        return [f"{claim} not measured yet | fewer than {STEPS} steps of high or of low acceptance |"]
    verdict = "holds" if np.mean(high) < 0.25 * np.mean(low) else "does not hold"
    return [
        f"{claim} {verdict} | mean norm {np.mean(high):.3g} in {len(high)} steps with 95 % accepted or more, "
        f"{np.mean(low):.3g} in {len(low)} with 60 % or less |"
    ]


def percent(interval: Interval) -> str:
    return f"{100 * interval.value:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def plot(scenarios: Mapping[str, Runs], path: Path) -> None:
    """Held-out greedy accuracy against samples, the mean over tasks and seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = {name: runs for name, runs in scenarios.items() if any(runs.values())}
    if not shown:
        return
    figure, axes = pyplot.subplots(1, len(shown), figsize=(5 * len(shown), 4), squeeze=False, layout="constrained")
    for axis, (name, runs) in zip(axes[0], shown.items(), strict=True):
        for method, results in runs.items():
            curves = [one["curve"] for one in results if one["curve"]]
            if curves and all(curve[-1][0] for curve in curves):
                points = min(map(len, curves))
                mean = np.mean([curve[: points - 1] + curve[-1:] for curve in curves], axis=0)
                axis.plot(mean[:, 0], 100 * mean[:, 2], marker=".", label=method)
        axis.set(title=name, xlabel="samples", ylabel="held-out greedy accuracy (%)", ylim=(0, 100))
        axis.legend(fontsize=7)
    figure.savefig(path, dpi=120)
