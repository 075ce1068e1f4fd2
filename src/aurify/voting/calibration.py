"""Calibration: scores that mean what they say, fitted on questions that the ranker was not trained on.

Ours (docs/methods.md, "Adaptive self-consistency (ASC)"; docs/decisions.md, "a ranker's calibration has a
bias").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from aurify.errors import AurifyError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CalibrationKind = Literal["sigmoid", "isotonic", "none"]

_EDGE = 1e-6


@dataclass(frozen=True)
class Calibration:
    """A monotone map of scores in [0, 1]: a line in log-odds, then straight lines between knots, level beyond them."""

    slope: float = 1.0
    bias: float = 0.0
    x: tuple[float, ...] = (0.0, 1.0)
    y: tuple[float, ...] = (0.0, 1.0)

    def __call__(self, scores_N: Floats) -> Floats:
        """The calibrated scores [N]."""
        scores_N = np.asarray(scores_N, dtype=np.float64)
        if (self.slope, self.bias) != (1.0, 0.0):
            scores_N = expit(self.slope * _log_odds(scores_N) + self.bias)
        return np.interp(scores_N, self.x, self.y)


def calibrate(scores_N: Floats, right_N: Bools, kind: CalibrationKind) -> Calibration:
    """Fit a calibration; without any score it changes nothing.

    ``sigmoid`` is sigmoid(slope logit(s) + bias) of least log loss. The bias is what a ranker needs that was trained on
    as many right as wrong rationales and judges others. The targets are Platt's, (r + 1) / (r + 2) for the r right ones
    and 1 / (w + 2) for the w wrong ones, so that no sample is so small that its scores become certain. The slope is
    not negative: a calibration never turns the order around. Where all scores are of right ones, or all of wrong ones,
    nothing tells the slope, which stays 1, and the bias brings their mean to the target.

    ``isotonic`` is the non-decreasing fit of least squares, level beyond the outermost scores. It is fitted as if one
    right rationale more stood at the lowest score and one wrong at the highest, so that k wrong ones in a row say
    1 / (k + 1), as by the rule of succession, and never 0.

    Sources: J. Platt (1999), Probabilistic outputs for support vector machines; B. Zadrozny and C. Elkan (2002),
    Transforming classifier scores into accurate multiclass probability estimates.

    Raises:
        AurifyError: ``isotonic``, and scikit-learn is not installed.
    """
    if kind == "none" or not len(scores_N):
        return Calibration()
    return _sigmoid(scores_N, right_N) if kind == "sigmoid" else _isotonic(scores_N, right_N)


def _sigmoid(scores_N: Floats, right_N: Bools) -> Calibration:
    right, wrong = int(right_N.sum()), int((~right_N).sum())
    target_N = np.where(right_N, (right + 1) / (right + 2), 1 / (wrong + 2))
    odds_N = _log_odds(scores_N)

    def loss(line: Floats) -> tuple[float, Floats]:
        z_N = line[0] * odds_N + line[1]
        error_N = expit(z_N) - target_N
        return float((np.logaddexp(0, z_N) - target_N * z_N).mean()), np.array(
            [(error_N * odds_N).mean(), error_N.mean()]
        )

    start = np.array([1.0, np.log((right + 1) / (wrong + 1))])
    slopes = (0, None) if right and wrong else (1, 1)
    slope, bias = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[slopes, (None, None)]).x.tolist()
    return Calibration(slope, bias)


def _isotonic(scores_N: Floats, right_N: Bools) -> Calibration:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError:
        raise AurifyError("--calibration isotonic needs scikit-learn: pip install 'aurify[rank]'") from None
    fitted = IsotonicRegression().fit([*scores_N, scores_N.min(), scores_N.max()], [*right_N, True, False])
    return Calibration(x=tuple(fitted.X_thresholds_.tolist()), y=tuple(fitted.y_thresholds_.tolist()))


def _log_odds(p: Floats) -> Floats:
    """log(p / (1 - p)), finite."""
    return np.asarray(logit(np.clip(p, _EDGE, 1 - _EDGE)), dtype=np.float64)
