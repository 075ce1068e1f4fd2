"""Features: finite whatever the pool, blind to verdicts and to other questions."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from aurify.voting.features import ALONE_COLUMNS, POOL_COLUMNS, alone_features, pool_features
from aurify.voting.pool import Candidate, CandidatePool, right_groups

POOL = CandidatePool(
    "q",
    "What is $3 + 4$? Express your answer as a common fraction.",
    (
        Candidate("$3 + 4 = 7$, so $\\boxed{7}$", "7", 0, True, -4.0, 8),
        Candidate("$3 + 4 = 8$, so $\\boxed{8}$", "8", 1, False, -9.0, 8),
        Candidate("it is 7 \\boxed{\\frac{14}{2}}", "\\frac{14}{2}", 0, True),
        Candidate("no idea", None, None, False),
    ),
    level="Level 3",
)


def column(name: str) -> list[float]:
    values: list[float] = pool_features(POOL)[:, POOL_COLUMNS.index(name)].tolist()
    return values


def test_what_the_columns_say() -> None:
    assert pool_features(POOL).shape == (4, len(POOL_COLUMNS))
    assert (alone_features(POOL) == pool_features(POOL)[:, : len(ALONE_COLUMNS)]).all()
    assert column("votes") == [2, 1, 2, 0]
    assert column("lead") == [0.25, -0.25, 0.25, -0.5]
    assert column("leads") == [1, 0, 1, 0]
    assert column("false_sums") == [0, 1, 0, 0]
    assert column("false_sums_in_group") == [0, 1, 0, 0]
    assert column("false_sums_in_pool") == [0.25] * 4
    assert column("unparsable") == [0, 0, 0, 1]
    assert column("no_answer") == [0, 0, 0, 1]
    assert column("answer_integer") == [1, 1, 1, 0]
    assert column("answer_unreduced") == [0, 0, 1, 0]
    assert column("asks_fraction") == [1] * 4
    assert column("level") == [3] * 4
    assert column("logprob_a_token") == pytest.approx([-0.5, -1.125, 0, 0])
    assert column("logprob_over_mean") == pytest.approx([0.3125, -0.3125, 0, 0])
    assert column("answer_seen_by_rivals") == [0, 0, 0, 0]
    assert column("numbers_shared_by_rivals")[0] == 0  # 7 is in its own group alone


def test_verdicts_and_names_do_not_enter() -> None:
    blind = tuple(replace(c, right=not c.right, model="else") for c in POOL.candidates)
    assert (pool_features(replace(POOL, candidates=blind, question_id="other", task="t")) == pool_features(POOL)).all()


def test_order_changes_nothing_but_the_order() -> None:
    turned = replace(POOL, candidates=POOL.candidates[::-1])
    assert np.allclose(pool_features(turned)[::-1], pool_features(POOL))


@pytest.mark.parametrize(
    "candidate",
    [
        Candidate("", None, None),
        Candidate("", "", 0),
        Candidate("x" * 50_000, "9" * 5000, 0),
        Candidate("\x00\ud800$\\[", "\\frac{1}{0}", 0),
        Candidate("1/0", "1e400", 0, logprob=-1e9, tokens=1),
        Candidate("$" * 999, "(" * 999, 0),
    ],
)
def test_hostile_candidates_have_finite_features(candidate: Candidate) -> None:
    for pool in (CandidatePool("", "", (candidate,)), CandidatePool("q", "1" * 999, (candidate, candidate))):
        assert np.isfinite(pool_features(pool)).all()


def test_runs_share_no_candidate() -> None:
    runs = POOL.runs(2)
    assert [run.candidates for run in runs] == [POOL.candidates[:2], POOL.candidates[2:]]
    assert POOL.runs(3) == [replace(POOL, candidates=POOL.candidates[:3])]
    assert POOL.runs(5) == []
    assert right_groups(POOL) == [True, False]
    assert right_groups(replace(POOL, candidates=(Candidate("", "1", 1, None),))) == [None, None]


SHARED_NUMBERS = """
import numpy as np
from aurify.voting.features import pool_features
from aurify.voting.pool import Candidate, CandidatePool
random = np.random.default_rng(0)
texts = [" ".join(map(str, random.permutation(40)[:12])) for _ in range(8)]
pool = CandidatePool("q", "?", tuple(Candidate(text, text[:2], i % 3) for i, text in enumerate(texts)))
print(pool_features(pool).tobytes().hex())
"""


def test_they_are_the_same_in_every_process() -> None:
    """The order of a set's members is drawn anew in each."""
    found = {
        subprocess.run(
            [sys.executable, "-c", SHARED_NUMBERS], env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in range(3)
    }  # fmt: skip
    assert len(found) == 1
