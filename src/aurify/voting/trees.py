"""Boosted trees that tell right from wrong, as scikit-learn trains them and skops stores them.

skops writes no pickle: what it loads is built from a list of types, of which scikit-learn's own are known to it and any
other is refused unless it is named here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.errors import AurifyError
from aurify.text import first_line

Floats = NDArray[np.float64]

TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
"""What the ensemble holds that skops does not know by itself: a tree's nodes."""
PROBE = 16
"""Rows whose scores are stored beside the trees: another version of scikit-learn must give the same."""


class Trees:
    """A boosted ensemble; ``train`` makes one, ``load`` reads one."""

    def __init__(self, model: Any, probe_PF: Floats) -> None:
        self._model = model
        self._probe_PF = probe_PF

    @classmethod
    def train(cls, features_XF: Floats, right_X: NDArray[np.bool_], *, seed: int, rounds: int) -> Trees:
        """Boost trees by log loss.

        Raises:
            AurifyError: scikit-learn or skops is not installed.
        """
        _needed()
        from sklearn.ensemble import HistGradientBoostingClassifier

        leaf = max(5, min(100, len(right_X) // 50))
        model = HistGradientBoostingClassifier(
            max_iter=rounds, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=leaf, l2_regularization=1.0,
            early_stopping=False, random_state=seed % 2**32,
        )  # fmt: skip
        model.fit(features_XF, right_X)
        return cls(model, features_XF[:PROBE].copy())

    def __call__(self, features_XF: Floats) -> Floats:
        """The log-odds [X] of rows of finite features."""
        if not len(features_XF):
            return np.zeros(0)
        return np.asarray(self._model.decision_function(features_XF), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write the trees, and a few rows with their scores."""
        from skops.io import dump

        dump({"trees": self._model, "probe": self._probe_PF, "scores": self(self._probe_PF)}, path)

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Read what ``save`` wrote; nothing of the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            AurifyError: it is damaged, holds a type that is not trusted, or this scikit-learn scores by it otherwise.
        """
        _needed()
        from skops.io import load
        from skops.io.exceptions import UntrustedTypesFoundException

        try:
            stored = load(path, trusted=TRUSTED_TYPES)
            trees = cls(stored["trees"], np.asarray(stored["probe"], dtype=np.float64))
            same = np.allclose(trees(trees._probe_PF), stored["scores"], atol=1e-9)
        except FileNotFoundError:
            raise
        except UntrustedTypesFoundException as error:
            raise AurifyError(f"{path}: holds what no ranker holds, and is not loaded: {error}") from None
        except Exception as error:  # a damaged archive can fail anywhere in skops and in scikit-learn
            raise AurifyError(f"{path}: damaged: {first_line(error)}") from None
        if not same:
            raise AurifyError(
                f"{path}: this scikit-learn scores otherwise than the one it was trained with: train it again"
            )
        return trees


def _needed() -> None:
    try:
        import sklearn
        import skops.io
    except ImportError:
        raise AurifyError("the fast ranker needs scikit-learn and skops: pip install 'aurify[rank]'") from None
    del sklearn, skops
