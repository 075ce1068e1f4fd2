"""The fast ranker: boosted trees on what can be told of a candidate, with a linear model of its words beneath.

It trains in a minute or two on a CPU and needs no model weights. Its scores are P(right), calibrated by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from aurify.errors import AurifyError
from aurify.parsing import parse_json
from aurify.voting.features import ALONE_COLUMNS, POOL_COLUMNS
from aurify.voting.inputs import Inputs
from aurify.voting.pool import CandidatePool
from aurify.voting.splits import fold_of
from aurify.voting.text_model import BITS, train_linear
from aurify.voting.trees import Trees

Floats = NDArray[np.float64]

WEIGHTS_FILE, TREES_FILE = "ranker.safetensors", "trees.skops"
ROUNDS = 200
"""Trees that are boosted."""
_INNER_FOLDS = 3
"""The trees see the linear model's opinion of a question that it was not trained on."""


class FastRanker:
    """A trained fast ranker.

    Args:
        alone: whether a candidate is looked at by itself, as the paper's ranker does, or among its rivals.
        trees: what tells right from wrong.
        linear: weights and bias of the model of words, or None where it is left out.
    """

    def __init__(self, alone: bool, trees: Trees, linear: tuple[Floats, float] | None) -> None:
        self.alone = alone
        self._trees = trees
        self._linear = linear

    @classmethod
    def train(
        cls,
        pools: Iterable[CandidatePool],
        *,
        seed: int = 0,
        alone: bool = False,
        words: bool = True,
        rounds: int = ROUNDS,
    ) -> FastRanker:
        """Train on the judged candidates of these pools, read some at a time; those without a verdict are left out.

        Raises:
            AurifyError: there are not both right and wrong candidates, or scikit-learn is not there.
        """
        return cls.train_on(Inputs.of(pools, alone=alone, words=words), seed=seed, alone=alone, rounds=rounds)

    @classmethod
    def train_on(cls, inputs: Inputs, *, seed: int = 0, alone: bool = False, rounds: int = ROUNDS) -> FastRanker:
        """``train`` on what was read before; words are used where the inputs hold them."""
        judged_X, right_X = inputs.judged_X, inputs.right_X
        known_X = right_X[judged_X]
        if not known_X.any() or known_X.all():
            found = (
                f"these {len(known_X)} are all {'right' if known_X.any() else 'wrong'}"
                if len(known_X)
                else "there are none"
            )
            raise AurifyError(f"a ranker needs both right and wrong rationales: {found}")
        linear, opinions_X = None, None
        if inputs.words is not None:
            fold_X = np.repeat([fold_of(one, _INNER_FOLDS, seed) for one in inputs.questions], inputs.sizes_P)
            opinions_X = np.zeros(len(judged_X))
            for fold in range(_INNER_FOLDS):
                seen_X, unseen_X = judged_X & (fold_X != fold), fold_X == fold
                if right_X[seen_X].any() and not right_X[seen_X].all():
                    weights_W, bias = train_linear(inputs.words[seen_X], right_X[seen_X], seed)
                    opinions_X[unseen_X] = inputs.words[unseen_X] @ weights_W + bias
            linear = train_linear(inputs.words[judged_X], known_X, seed)
        rows_XF = _rows(inputs, alone, opinions_X)
        rows_XF = rows_XF if judged_X.all() else rows_XF[judged_X]
        return cls(alone, Trees.train(rows_XF, known_X, seed=seed, rounds=rounds), linear)

    def scores(self, pools: Sequence[CandidatePool]) -> list[Floats]:
        """P(right) of every candidate of every pool, in order."""
        return self.scores_of(Inputs.of(pools, alone=self.alone, words=self._linear is not None))

    def scores_of(self, inputs: Inputs) -> list[Floats]:
        """``scores`` of what was read before, as the training inputs were."""
        if not inputs.questions:
            return []
        opinions_X = None
        if self._linear is not None:
            weights_W, bias = self._linear
            opinions_X = inputs.words @ weights_W + bias
        return inputs.split(expit(self._trees(_rows(inputs, self.alone, opinions_X))))

    def save(self, folder: Path) -> None:
        """Write the trees, and the linear model's arrays, into a folder."""
        from safetensors.numpy import save_file

        self._trees.save(folder / TREES_FILE)
        arrays: dict[str, NDArray[Any]] = {}
        if self._linear is not None:
            kept = np.flatnonzero(self._linear[0])
            arrays = {"linear.places": kept, "linear.weights": self._linear[0][kept].astype(np.float32)}
            arrays["linear.bias"] = np.array([self._linear[1]])
        columns = json.dumps(ALONE_COLUMNS if self.alone else POOL_COLUMNS)
        save_file(arrays, folder / WEIGHTS_FILE, metadata={"alone": str(int(self.alone)), "columns": columns})

    @classmethod
    def load(cls, folder: Path) -> FastRanker:
        """Read what ``save`` wrote.

        Raises:
            AurifyError: the file is missing or damaged, or of a version of aurify with other features.
        """
        from safetensors import SafetensorError, safe_open

        file = folder / WEIGHTS_FILE
        try:
            with safe_open(file, framework="numpy") as stored:
                facts = stored.metadata()
                arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # a safetensors file is no mapping
            alone = facts["alone"] == "1"
            if parse_json(facts["columns"]) != list(ALONE_COLUMNS if alone else POOL_COLUMNS):
                raise AurifyError(f"{file}: trained by another version of aurify: train the ranker again")
            trees = Trees.load(folder / TREES_FILE)
            linear = None
            if "linear.bias" in arrays:
                weights_W = np.zeros(2 ** (BITS + 1))
                weights_W[arrays["linear.places"]] = arrays["linear.weights"]
                linear = (weights_W, float(arrays["linear.bias"][0]))
        except FileNotFoundError:
            raise AurifyError(f"{folder}: a file of it is missing: not a ranker's folder") from None
        except (SafetensorError, KeyError, ValueError, IndexError, TypeError) as error:
            raise AurifyError(f"{file}: damaged: {error}") from None
        return cls(alone, trees, linear)


def _rows(inputs: Inputs, alone: bool, opinions_X: Floats | None) -> Floats:
    """What the trees see: the features, and the linear model's opinion where there is one."""
    if opinions_X is None:
        return inputs.features_XF
    if alone:
        return np.column_stack([inputs.features_XF, opinions_X])
    relative, grouped = [], []
    for groups_S, own_S in zip(inputs.split(inputs.groups_X), inputs.split(opinions_X), strict=True):
        relative.append(own_S - own_S.mean())
        grouped.append([own_S[groups_S == group].mean() for group in groups_S])
    return np.column_stack([inputs.features_XF, opinions_X, np.concatenate(relative), np.concatenate(grouped)])
