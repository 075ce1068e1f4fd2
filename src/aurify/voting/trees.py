"""A boosted ensemble of trees as plain arrays, so that a ranker is saved and loaded without a pickle.

scikit-learn's histogram boosting trains it; its nodes are copied out, and the copy is compared with the original's own
predictions before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.errors import AurifyError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees in one row; a leaf's children are the leaf itself."""

    feature_N: Ints
    threshold_N: Floats
    left_N: Ints
    right_N: Ints
    value_N: Floats
    roots_T: Ints
    depth: int
    baseline: float

    def __call__(self, features_XF: Floats) -> Floats:
        """The log-odds [X] of rows of finite features."""
        rows = np.arange(len(features_XF))
        total_X = np.full(len(features_XF), self.baseline)
        for root in self.roots_T:
            node_X = np.full(len(features_XF), root)
            for _ in range(self.depth):
                goes_left = features_XF[rows, self.feature_N[node_X]] <= self.threshold_N[node_X]
                node_X = np.where(goes_left, self.left_N[node_X], self.right_N[node_X])
            total_X += self.value_N[node_X]
        return total_X

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What ``from_arrays`` reads."""
        numbers = np.array([self.depth, self.baseline])
        return {
            "feature": self.feature_N, "threshold": self.threshold_N, "left": self.left_N, "right": self.right_N,
            "value": self.value_N, "roots": self.roots_T, "numbers": numbers,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """From what ``arrays`` gave.

        Raises:
            KeyError, ValueError: an array is missing, or they do not fit one another.
        """
        depth, baseline = arrays["numbers"].tolist()
        names = ("feature", "threshold", "left", "right", "value")
        feature, threshold, left, right, value = (arrays[name] for name in names)
        nodes = len(feature)
        whole = (left, right, arrays["roots"])
        if any(len(arrays[name]) != nodes for name in names) or any(((a < 0) | (a >= nodes)).any() for a in whole):
            raise ValueError("the trees' nodes do not fit one another")
        return cls(feature, threshold, left, right, value, arrays["roots"], int(depth), baseline)


def train_trees(features_XF: Floats, right_X: NDArray[np.bool_], *, seed: int, rounds: int = 200) -> Trees:
    """Boost trees that tell right from wrong, by log loss.

    Raises:
        AurifyError: scikit-learn is not installed, or is one whose trees this cannot read.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError:
        raise AurifyError("the fast ranker needs scikit-learn: pip install 'aurify[rank]'") from None
    model = HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=max(5, min(100, len(right_X) // 50)),
        l2_regularization=1.0, early_stopping=False, random_state=seed % 2**32,
    )  # fmt: skip
    model.fit(features_XF, right_X)
    try:
        trees = _copy(model)
    except (AttributeError, KeyError, IndexError, ValueError):
        trees = None
    probe_XF = features_XF[:500]
    if trees is None or not np.allclose(trees(probe_XF), model.decision_function(probe_XF), atol=1e-6):
        import sklearn

        raise AurifyError(f"scikit-learn {sklearn.__version__} keeps its trees in another way: install 1.3 to 1.9")
    return trees


def _copy(model: Any) -> Trees:
    parts, roots, depth, start = [], [], 0, 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        places = start + np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        parts.append(
            (
                np.where(leaf, 0, nodes["feature_idx"]),
                np.where(leaf, 0.0, nodes["num_threshold"]),
                np.where(leaf, places, start + nodes["left"]),
                np.where(leaf, places, start + nodes["right"]),
                np.where(leaf, nodes["value"], 0.0),
            )
        )
        roots.append(start)
        depth = max(depth, int(nodes["depth"].max()))
        start += len(nodes)
    feature, threshold, left, right, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Trees(
        feature.astype(np.int64), threshold.astype(np.float64), left.astype(np.int64), right.astype(np.int64),
        value.astype(np.float64), np.array(roots), depth, float(model._baseline_prediction.item()),
    )  # fmt: skip
