"""How often the intervals of ``aurify compare`` hold the truth, and how often it names a winner among equals.

    .venv/bin/python bench/coverage.py [--simulations 1000] [--out bench/results/coverage.md]      # some five minutes

Two methods that are equally good are simulated: the answer of method m in run s to question q is right where

    c + u_q + sqrt(r / 2) f_mq + sqrt((1 - r) / 2) e_msq + b_ms > 0

with u, f, e standard normal: u is the question's difficulty, f what the method finds easy or hard in every run (r is
the persistence), e what changes from run to run, and b the run's own luck, of a standard deviation that makes the true
accuracies of runs differ by the stated points (standard deviation). Runs are asked the same questions (``shared``), or
each a random 40 % of the same pool (``split``).

With three runs or more the truth is that the methods are equal. With one or two, ``aurify compare`` speaks of these
runs alone, and the truth is their own difference over all questions; a false winner is then a run said to be better
that is not.

Beside it stand two other ways: ``nested`` (questions drawn within each run, and McNemar's test on all answers pooled,
which is what ``aurify compare`` did at first) and ``crossed bootstrap`` (percentiles of resamples that draw each
question once for all runs, and runs, with the sign-flip test).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from aurify.statistics.crossed import ACCURACY, DIFFERENCE, ENOUGH_RUNS, crossed_mean
from aurify.statistics.sign_flip import sign_flip

Floats = NDArray[np.float64]

SHARE = 0.4
"""Of the pool, held out by each run of a ``split`` design."""
RESAMPLES = 200
RIVALS_AT = 0.5
"""The persistence at which the other two ways are simulated too: they take most of the time."""
LEVEL = 0.05
SEED = 17
"""The rule was chosen on other simulations: of normal means without questions, and of seeds 0 to 199."""
AGAIN = 9
"""A design of accuracy ``TYPICAL`` that is outside what is wanted is simulated this often again; all are counted."""
TYPICAL, NEARLY_RIGHT = 0.7, 0.97
"""Accuracies."""
WAYS = ("aurify compare", "crossed bootstrap", "nested")


class Design(NamedTuple):
    """What is simulated."""

    questions: str
    """shared or split."""
    n: int
    """Questions a run."""
    runs: int
    persistence: float
    spread: float
    """Points, the standard deviation of a method's true accuracy over runs."""
    accuracy: float


class Found(NamedTuple):
    """Shares of the simulations of one design, by way."""

    covered: Sequence[float]
    winners: Sequence[float]
    accuracy_covered: float
    """By the interval of one method's accuracy."""
    times: int = 1
    """As many simulations as were asked for, times this."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "coverage.md")
    args = parser.parse_args()
    found = {}
    for number, design in enumerate(designs()):
        random = np.random.default_rng([SEED, number])
        found[design] = simulated(design, args.simulations, random)
        if design.accuracy == TYPICAL and is_outside(found[design]):  # by chance, or in truth?
            found[design] = mean([found[design], *(simulated(design, args.simulations, random) for _ in range(AGAIN))])
        print(*design, *(f"{one:.3f}" for part in found[design][:2] for one in part), flush=True)
    args.out.write_text("\n".join(report(found, args.simulations)) + "\n", encoding="utf-8")


def is_outside(found: Found) -> bool:
    """Whether ``aurify compare`` is not as it is wanted."""
    return not 0.93 <= found.covered[0] <= 0.98 or found.winners[0] > LEVEL


def mean(found: Sequence[Found]) -> Found:
    """Of as many simulations each."""
    parts = (np.mean([one[i] for one in found], axis=0) for i in range(3))
    covered, winners, accuracy = (part.tolist() for part in parts)
    return Found(covered, winners, accuracy, len(found))


def designs() -> Iterator[Design]:
    """All of them, and some of methods that are nearly always right."""
    for questions, n, runs, persistence, spread in itertools.product(
        ("shared", "split"), (80, 500), (1, 2, 3, 5, 10), (0.0, 0.5, 0.9), (0, 2, 5)
    ):
        yield Design(questions, n, runs, persistence, spread, TYPICAL)
    for questions, n, runs in itertools.product(("shared", "split"), (80, 500), (1, 2, 3, 5, 10)):
        yield Design(questions, n, runs, 0.5, 0, NEARLY_RIGHT)


def simulated(design: Design, simulations: int, random: np.random.Generator) -> Found:
    """What each way makes of the simulated runs of one design."""
    pool = design.n if design.questions == "shared" else round(design.n / SHARE)
    sides, truths = [], []
    difficulty = random.standard_normal((simulations, 1, pool))
    scale = np.sqrt(1.5)
    level = norm.ppf(design.accuracy)
    luck = design.spread / 100 * scale / norm.pdf(level)
    for _ in range(2):
        own = np.sqrt(design.persistence / 2) * random.standard_normal((simulations, 1, pool))
        noise = np.sqrt((1 - design.persistence) / 2) * random.standard_normal((simulations, design.runs, pool))
        shift = luck * random.standard_normal((simulations, design.runs, 1))
        sides.append((level * scale + difficulty + own + noise + shift > 0).astype(float))
        truths.append(norm.cdf(level + shift[..., 0] / scale).mean(axis=1))
    if design.questions == "split":
        order = random.random((simulations, design.runs, pool)).argsort(axis=2)
        for side in sides:
            side[order >= design.n] = np.nan
    difference = sides[0] - sides[1]
    methods = design.runs >= ENOUGH_RUNS
    truth = np.zeros(simulations) if methods else truths[0] - truths[1]
    accuracy = np.full(simulations, norm.cdf(level / np.sqrt(1 + (luck / scale) ** 2))) if methods else truths[0]
    flips = np.array([sign_flip(one) for one in difference])
    ours = [crossed_mean(one, DIFFERENCE) for one in difference]
    bounds = {
        "aurify compare": (
            np.array([(one.interval.low, one.interval.high) for one in ours]),
            np.maximum(flips, [one.p for one in ours]),
        ),
    }
    if design.persistence == RIVALS_AT:
        bounds["crossed bootstrap"] = (crossed_bootstrap(difference, random), flips)
        bounds["nested"] = (nested_bootstrap(difference, random), np.array([pooled(one) for one in difference]))
    covered, winners = [], []
    for way, (interval, p) in bounds.items():
        low, high = interval.T
        covered.append(float(np.mean((low <= truth) & (truth <= high))))
        named = (p < LEVEL) & ((low > 0) | (high < 0))
        if methods or (way != "aurify compare" and design.runs > 1):
            false = named  # a method is said to be better, and none is
        else:
            false = named & (np.sign(difference.mean(axis=(1, 2), where=~np.isnan(difference))) != np.sign(truth))
        winners.append(float(np.mean(false)))
    held = [crossed_mean(one, ACCURACY).interval for one in sides[0]]
    inside = [one.low <= value <= one.high for one, value in zip(held, accuracy, strict=True)]
    return Found(covered, winners, float(np.mean(inside)))


def pooled(difference_SQ: Floats) -> float:
    """McNemar's exact test on all answers as if each were of a question of its own."""
    only = [int((difference_SQ == sign).sum()) for sign in (1, -1)]
    return float(binomtest(only[0], sum(only)).pvalue) if sum(only) else 1.0


def nested_bootstrap(difference: Floats, random: np.random.Generator) -> Floats:
    """(low, high) of each simulation: runs drawn, and in each of them questions."""
    simulations, runs, _ = difference.shape
    sizes = (~np.isnan(difference)).sum(axis=2)
    shares = np.stack([(difference == value).sum(axis=2) / sizes for value in (-1, 0, 1)], axis=-1)
    chosen = random.integers(runs, size=(simulations, RESAMPLES, runs))
    drawn = random.multinomial(sizes[0, 0], np.take_along_axis(shares[:, None], chosen[..., None], axis=2))
    means = (drawn[..., 2] - drawn[..., 0]).mean(axis=2) / sizes[0, 0]
    return np.quantile(means, [0.025, 0.975], axis=1).T


def crossed_bootstrap(difference: Floats, random: np.random.Generator) -> Floats:
    """(low, high) of each simulation: runs drawn, and questions drawn once for all of them."""
    simulations, runs, pool = difference.shape
    questions_BQ = random.multinomial(pool, np.full(pool, 1 / pool), size=RESAMPLES).astype(np.float32)
    runs_BS = random.multinomial(runs, np.full(runs, 1 / runs), size=RESAMPLES).astype(np.float32)
    totals = []
    for values in (np.nan_to_num(difference), ~np.isnan(difference)):
        by_run = values.reshape(-1, pool).astype(np.float32) @ questions_BQ.T
        totals.append(np.einsum("nsb,bs->nb", by_run.reshape(simulations, runs, RESAMPLES), runs_BS))
    return np.quantile(totals[0] / totals[1], [0.025, 0.975], axis=1).T


def report(found: dict[Design, Found], simulations: int) -> Iterator[str]:
    """The tables: by the number of runs, then every design."""
    yield "# How often the intervals of `aurify compare` hold the truth"
    yield ""
    yield "    .venv/bin/python bench/coverage.py"
    yield ""
    yield f"Two equally good methods, {simulations:,} simulations a design. What a design is, and what the other two"
    yield "ways are, stands at the head of `bench/coverage.py`; those are simulated at persistence 0.5 only. Wanted:"
    yield "95 % intervals that hold the truth in 93 to 98 % of simulations, and a false winner in at most 5 %. With one"
    yield "or two runs the truth is that of these runs."
    yield ""
    yield f"## By the number of runs: the least and the most over the designs of accuracy {_percent(TYPICAL)} %"
    yield ""
    head = [f"{way}, {what}" for way in WAYS for what in ("holds the truth", "false winners")]
    yield "| runs | " + " | ".join([*head, "an accuracy's interval holds it"]) + " |"
    yield "| ---: |" + " ---: |" * 7
    for runs in sorted({design.runs for design in found}):
        own = [one for design, one in found.items() if design.runs == runs and design.accuracy == TYPICAL]
        cells = []
        for i in range(len(WAYS)):
            measured = [one for one in own if len(one.covered) > i]
            cells += [_range([one.covered[i] for one in measured]), _range([one.winners[i] for one in measured])]
        yield f"| {runs} | " + " | ".join([*cells, _range([one.accuracy_covered for one in own])]) + " |"
    yield ""
    for accuracy in (TYPICAL, NEARLY_RIGHT):
        own = [one for design, one in found.items() if design.accuracy == accuracy]
        below, above = (
            sum(one.covered[0] < 0.93 for one in own), sum(one.covered[0] > 0.98 for one in own)
        )  # fmt: skip
        over = sum(one.winners[0] > LEVEL for one in own)
        yield f"`aurify compare`, methods that are {_percent(accuracy)} % right: of {len(own)} designs {below} hold the"
        yield f"truth in less than 93 %, {above} in more than 98 %; {over} name false winners in more than 5 %."
        yield ""
    again = sum(one.times > 1 for one in found.values())
    error = 100 * (0.05 * 0.95 / simulations) ** 0.5
    yield f"A share of 5 % has a standard error of {error:.1f} points, so that some are outside by chance."
    yield f"The {again} that were at first were simulated {AGAIN} times more; all simulations of a design are counted."
    yield ""
    yield "## Every design"
    yield ""
    yield "Spread: standard deviation of a method's true accuracy over runs, in points. All other numbers: percent."
    yield ""
    yield "| questions | a run | runs | accuracy | persistence | spread | " + " | ".join(head) + " | accuracy held |"
    yield "| --- |" + " ---: |" * 12
    for design, one in found.items():
        cells = [_percent(part) for pair in zip(one.covered, one.winners, strict=True) for part in pair]
        cells += [""] * (2 * len(WAYS) - len(cells))
        facts = [design.questions, design.n, design.runs, _percent(design.accuracy), design.persistence, design.spread]
        yield "| " + " | ".join([*map(str, facts), *cells, _percent(one.accuracy_covered)]) + " |"


def _range(shares: Sequence[float]) -> str:
    return f"{_percent(min(shares))} to {_percent(max(shares))}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
