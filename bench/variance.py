"""How much of the gradient's variance TRICE's control variate takes away, against accuracy.

    .venv/bin/python bench/variance.py [--questions 32] [--replicates 2000] [--out bench/results]

A batch of questions, each a softmax over eight rationales of which some are right; every memory is an exact draw from
the posterior. The gradients of the basic estimator and of the one with the control variate, and their variances
(trace of the covariance), come from the very functions that ``aurify train trice`` uses. Expected: the ratio is about
1 at 15 % accuracy, 0.75 at 54 %, 0.1 at 95 %, and the gradient of a batch whose proposals are all right is exactly 0.
Writes variance.md and variance.png, and ends in a minute.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aurify.methods.moves import independent
from aurify.methods.trice import EstimatorWeights, estimator_weights, leave_one_out_acceptance

Floats = NDArray[np.float64]
RATIONALES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=32, help="M, questions a step")
    parser.add_argument("--replicates", type=int, default=2000, help="steps that are simulated for each accuracy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    shifts = np.linspace(-2.5, 5.5, 12)
    rows = [measure(args.questions, shift, args.replicates, args.seed) for shift in shifts]
    command = " ".join(["bench/variance.py", *sys.argv[1:]])
    text = report(rows, args.questions, command)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "variance.md").write_text(text, encoding="utf-8")
    plot(rows, args.questions, args.out / "variance.png")
    print(text)


def measure(questions: int, shift: float, replicates: int, seed: int) -> tuple[float, float, float, float]:
    """(accuracy, ratio with leave-one-out, ratio with the question's own rate, largest |gradient| if all is accepted).

    A ratio is the variance with the control variate divided by that of the basic estimator.
    """
    random = np.random.default_rng(seed)
    right_QV = np.zeros((questions, RATIONALES), dtype=bool)
    right_QV[:, : RATIONALES // 2] = True
    logits_QV = random.normal(size=right_QV.shape) + shift * right_QV
    p_QV = np.exp(logits_QV) / np.exp(logits_QV).sum(axis=1, keepdims=True)
    posterior_QV = p_QV * right_QV / (p_QV * right_QV).sum(axis=1, keepdims=True)
    pi_Q = (p_QV * right_QV).sum(axis=1)
    found: dict[str, list[Floats]] = {"basic": [], "batch": [], "own": []}
    accepted = 0.0
    for _ in range(replicates):
        drawn_Q, memory_Q = draw(random, p_QV), draw(random, posterior_QV)
        right_Q1 = right_QV[np.arange(questions), drawn_Q][:, None]
        valid_Q = np.ones(questions, dtype=bool)
        scales = {"basic": None, "batch": leave_one_out_acceptance(right_Q1[:, 0], valid_Q), "own": pi_Q}
        moves = independent(right_Q1, valid_Q)
        for name, scale_Q in scales.items():
            gradient_QV = gradient(estimator_weights(moves, valid_Q, scale_Q), p_QV, memory_Q, drawn_Q)
            found[name].append(gradient_QV)
            if name == "batch" and right_Q1.all():
                accepted = max(accepted, float(np.abs(gradient_QV).max()))
    variance = {name: float(np.var(gradients, axis=0).sum()) for name, gradients in found.items()}
    return float(pi_Q.mean()), variance["batch"] / variance["basic"], variance["own"] / variance["basic"], accepted


def draw(random: np.random.Generator, p_QV: Floats) -> NDArray[np.int64]:
    """One rationale a question."""
    chosen_Q: NDArray[np.int64] = (random.random((len(p_QV), 1)) < np.cumsum(p_QV, axis=1)).argmax(axis=1)
    return chosen_Q


def gradient(
    weights: EstimatorWeights, p_QV: Floats, memory_Q: NDArray[np.int64], drawn_Q: NDArray[np.int64]
) -> Floats:
    """sum_i w_i s(z_i) with s(z) = onehot(z) - p, with respect to the logits [Q, V]."""
    rows = np.arange(len(p_QV))
    total_QV: Floats = -(weights.memory_Q + weights.proposals_QS[:, 0])[:, None] * p_QV
    np.add.at(total_QV, (rows, memory_Q), weights.memory_Q)
    np.add.at(total_QV, (rows, drawn_Q), weights.proposals_QS[:, 0])
    return total_QV


def report(rows: list[tuple[float, float, float, float]], questions: int, command: str) -> str:
    """The table."""
    lines = [
        f"Variance of TRICE's gradient with the control variate, divided by that without it; {questions} questions a",
        f"step, exact posterior memories. `{command}`",
        "",
        "| accuracy (%) | rate of the other questions | the question's own rate |",
        "| ---: | ---: | ---: |",
        *(f"| {100 * accuracy:.1f} | {batch:.3f} | {own:.3f} |" for accuracy, batch, own, _ in rows),
        "",
        f"Largest absolute gradient of a step whose proposals were all right: {max(row[3] for row in rows):g}",
    ]
    return "\n".join(lines) + "\n"


def plot(rows: list[tuple[float, float, float, float]], questions: int, path: Path) -> None:
    """The two ratios against accuracy."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.5, 3.6), layout="constrained")
    accuracy = [100 * row[0] for row in rows]
    axes.plot(accuracy, [row[1] for row in rows], "o-", label="acceptance rate of the other questions")
    axes.plot(accuracy, [row[2] for row in rows], "s--", label="the question's own success probability")
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set(xlabel="accuracy (%)", ylabel="variance ratio", ylim=(0, 1.1), xlim=(0, 100))
    axes.set_title(f"Control variate, {questions} questions a step", fontsize=10)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
