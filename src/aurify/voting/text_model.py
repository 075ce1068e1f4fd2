"""A linear model of the words of question and rationale: hashed uni- and bigrams, logistic loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aurify.errors import AurifyError
from aurify.voting.pool import CandidatePool

Floats = NDArray[np.float64]

BITS = 18
"""2^BITS buckets for the rationale's words and as many for the question's."""
_TOKEN = r"\\?[A-Za-z]+|\d+|[^\sA-Za-z\d]"


def words_of(pools: Sequence[CandidatePool]) -> Any:
    """The hashed words of every candidate of every pool, one sparse row each [X, 2^(BITS + 1)].

    Raises:
        AurifyError: scikit-learn is not installed.
    """
    try:
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import HashingVectorizer
    except ImportError:
        raise AurifyError("the fast ranker needs scikit-learn: pip install 'aurify[rank]'") from None
    hashing = HashingVectorizer(
        n_features=2**BITS, ngram_range=(1, 2), token_pattern=_TOKEN, binary=True, alternate_sign=False,
        dtype=np.float32,
    )  # fmt: skip
    theirs = np.repeat(np.arange(len(pools)), [len(pool.candidates) for pool in pools])
    texts = hashing.transform([candidate.text for pool in pools for candidate in pool.candidates])
    asked = hashing.transform([pool.question for pool in pools])[theirs]
    return hstack([texts, asked], format="csr")


def train_linear(words: Any, right_X: NDArray[np.bool_], seed: int) -> tuple[Floats, float]:
    """The weights [2^(BITS + 1)] and the bias, averaged over six passes of stochastic gradient."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(
        loss="log_loss", alpha=3e-5, max_iter=6, tol=None, average=True, random_state=seed % 2**32
    ).fit(words, right_X)
    weights_W = model.coef_[0].astype(np.float32).astype(np.float64)  # as it is stored
    return weights_W, float(model.intercept_[0])
