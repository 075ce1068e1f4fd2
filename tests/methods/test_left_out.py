"""Questions with fewer proposals than others, since nobody had a verdict on some: those that are there count."""

from __future__ import annotations

import numpy as np
import pytest

from aurify.answers import Verdict
from aurify.methods import GRPO, RLOO, IncorrectOnly, MaxRL, NegativeReinforcement, RejectionSampling, RestEM, Trice
from aurify.methods.moves import independent
from aurify.methods.trice import estimator_weights
from aurify.rationales import Chain, Rationale

METHODS = [
    RejectionSampling(4), RLOO(4), GRPO(4), MaxRL(4), IncorrectOnly(4), NegativeReinforcement(4), Trice(4),
    Trice(4, baseline="running"),
]  # fmt: skip


def row(question: str, *right: bool) -> list[Rationale]:
    return [
        Rationale(
            question_id=question, token_ids=(index,), text="", predicted=None,
            verdict=Verdict.RIGHT if one else Verdict.WRONG, reason="", source="self", model="m", step=1,
            sample_index=index, seed=0, finish_reason="stop", logprob=-1.0,
        )
        for index, one in enumerate(right)
    ]  # fmt: skip


def weights(method, *rows: list[Rationale]) -> dict[tuple[str, int], float]:
    names = [f"q{n}" for n in range(len(rows))]
    rows = tuple([one.__class__(**{**vars(one), "question_id": name}) for one in drawn]
                 for name, drawn in zip(names, rows, strict=True))  # fmt: skip
    e_step = method.e_step(0, 1, [Chain(name) for name in names], rows)
    assert np.isfinite(list(e_step.info.values())).all()
    return {(term.question_id, *term.token_ids): term.weight for term in e_step.terms}


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_short_row_weighs_as_it_would_among_equals(method):
    short, long = row("", True, False), row("", True, False, False, True)
    mixed, shorts, longs = weights(method, short, long), weights(method, short, short), weights(method, long, long)
    assert {key: w for key, w in mixed.items() if key[0] == "q0"} == pytest.approx(
        {key: w for key, w in shorts.items() if key[0] == "q0"}
    )
    assert {key: w for key, w in mixed.items() if key[0] == "q1"} == pytest.approx(
        {key: w for key, w in longs.items() if key[0] == "q1"}
    )


@pytest.mark.parametrize("method", [RLOO(4), GRPO(4), MaxRL(4)], ids=repr)
def test_who_has_nobody_to_be_compared_with_weighs_nothing(method):
    assert {name for name, _ in weights(method, row("", True), row("", True, False, False, True))} == {"q1"}


def test_the_control_variate_of_a_short_row_is_spread_over_its_own():
    right_QS = np.array([[True, False, False, False], [True, True, False, False]])
    there_QS = np.array([[True, True, False, False], [True] * 4])
    held_Q = np.array([True, True])
    found = estimator_weights(independent(right_QS, held_Q), held_Q, np.array([0.5, 0.5]), None, there_QS)
    assert found.proposals_QS[0].tolist() == [0.375, -0.125, 0, 0]
    assert found.proposals_QS.sum() == pytest.approx(0.5), "each question: 1 - b, halved"


def test_rows_of_a_fit_may_be_short():
    found = RestEM().e_step(0, 1, [Chain("a"), Chain("b")], [row("a", True), row("b", False, True)])
    assert found.info["acceptance"] == pytest.approx(2 / 3)
