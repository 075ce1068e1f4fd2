"""Calibration: scores that mean what they say, fitted on questions that the ranker was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CalibrationKind = Literal["temperature", "isotonic", "none"]

_EDGE = 1e-6


@dataclass(frozen=True)
class Calibration:
    """A monotone map of scores in [0, 1], straight between its knots."""

    x: tuple[float, ...] = (0.0, 1.0)
    y: tuple[float, ...] = (0.0, 1.0)
    temperature: float = 1.0

    def __call__(self, scores_N: Floats) -> Floats:
        """The calibrated scores [N]."""
        scores_N = np.asarray(scores_N, dtype=np.float64)
        if self.temperature != 1.0:
            scores_N = sigmoid(logit(scores_N) / self.temperature)
        return np.interp(scores_N, self.x, self.y)


def calibrate(scores_N: Floats, right_N: Bools, kind: CalibrationKind) -> Calibration:
    """Fit a calibration; with fewer than two scores, or none right or wrong, it changes nothing.

    ``temperature`` is the T that minimises the log loss of sigmoid(logit(s) / T) (C. Guo et al. 2017,
    arXiv:1706.04599). ``isotonic`` is the non-decreasing fit of least squares (B. Zadrozny and C. Elkan 2002), by
    pooling adjacent violators, here through the blocks' means so that distinct scores seldom tie.
    """
    if kind == "none" or len(scores_N) < 2 or right_N.all() or not right_N.any():
        return Calibration()
    if kind == "temperature":
        temperatures = np.geomspace(0.05, 20.0, 241)
        losses = [_log_loss(sigmoid(logit(scores_N) / temperature), right_N) for temperature in temperatures]
        return Calibration(temperature=float(temperatures[int(np.argmin(losses))]))
    order = np.argsort(scores_N, kind="stable")
    blocks: list[list[float]] = []  # sum of x, sum of y, count
    for score, right in zip(scores_N[order], right_N[order], strict=True):
        blocks.append([float(score), float(right), 1.0])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [ours + theirs for ours, theirs in zip(blocks[-1], last, strict=True)]
    x = [total / count for total, _, count in blocks]
    y = [total / count for _, total, count in blocks]
    return Calibration((0.0, *x, 1.0), (y[0] * (x[0] > 0), *y, 1.0 if x[-1] < 1 else y[-1]))


def logit(p: Floats) -> Floats:
    """log(p / (1 - p)), finite."""
    p = np.clip(p, _EDGE, 1 - _EDGE)
    return np.log(p / (1 - p))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _log_loss(scores_N: Floats, right_N: Bools) -> float:
    p = np.clip(scores_N, _EDGE, 1 - _EDGE)
    return float(-np.where(right_N, np.log(p), np.log(1 - p)).mean())
