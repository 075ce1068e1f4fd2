"""Pools that lie in a file are those that were added; who learns from them holds few of their texts at a time."""

from __future__ import annotations

import gc
import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurify.answers.verdict import Verdict
from aurify.rationales import Rationale, RationaleTable, by_question
from aurify.voting import kept_pools
from aurify.voting.features import pool_features
from aurify.voting.gather import read_pools
from aurify.voting.inputs import Inputs
from aurify.voting.kept_pools import KeptPools, in_chunks
from aurify.voting.pool import Candidate, CandidatePool
from aurify.voting.settings import RankSettings
from aurify.voting.train import run_rank

CANDIDATES = st.builds(
    Candidate, st.text(st.characters(exclude_categories=())), st.none() | st.text(), st.none() | st.integers(0, 9),
    st.none() | st.booleans(), st.none() | st.floats(allow_nan=False), st.integers(0, 999), st.text(),
)  # fmt: skip
POOLS = st.builds(
    CandidatePool, st.text(), st.text(), st.lists(CANDIDATES, max_size=4).map(tuple), st.text(), st.text()
)


@given(st.lists(st.lists(POOLS, max_size=4), max_size=4), st.sampled_from([1, 50, 2**20]))
def test_what_was_added_comes_back_in_any_order_from_memory_as_from_a_file(
    added: list[list[CandidatePool]], in_memory: int
) -> None:
    with pytest.MonkeyPatch.context() as patched, KeptPools() as kept:
        patched.setattr(kept_pools, "IN_MEMORY", in_memory)
        every: list[CandidatePool] = []
        for some in added:
            kept.extend(some)
            every += some
            assert [kept[place] for place in reversed(range(len(kept)))] == every[::-1]
        assert list(kept) == every == kept[:]
        assert kept[1:3] == every[1:3]
        if every:
            assert kept[-1] == every[-1]
        with pytest.raises(IndexError):
            kept[len(every)]
    with pytest.raises((ValueError, IndexError)):
        kept[0]


def test_chunks_are_whole_pools_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = [CandidatePool(str(size), "", (Candidate("", None, None),) * size) for size in (3, 3, 4, 11, 1, 9, 10, 0)]
    monkeypatch.setattr(by_question, "ROWS_TOGETHER", 10)
    assert [[len(pool.candidates) for pool in some] for some in in_chunks(pools)] == [[3, 3, 4], [11], [1, 9], [10, 0]]
    assert list(in_chunks([])) == []


@pytest.mark.parametrize("alone", [False, True])
def test_features_are_those_of_all_pools_at_once_and_hold_no_text(
    pools: list[CandidatePool], monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    pytest.importorskip("sklearn")
    some = [*pools[:40], replace(pools[41], candidates=pools[41].candidates[:3])]
    whole = Inputs.of(some, alone=alone, words=True)
    monkeypatch.setattr(by_question, "ROWS_TOGETHER", 20)
    parts = Inputs.of(iter(some), alone=alone, words=True)
    assert (parts.questions, parts.sizes_P.tolist()) == (whole.questions, [*[8] * 40, 3])
    for name in ("groups_X", "judged_X", "right_X", "features_XF"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name)), name
    assert (parts.words != whole.words).nnz == 0


def sums(folder: Path) -> RankSettings:
    """A table of twelve parts in which a run came back to its questions, and a file of these."""
    draw, table = random.Random(3), RationaleTable(folder / "rationales")
    for step in range(12):
        rows = []
        for place in range(120):
            number = draw.randrange(60)
            careful = draw.random() < 0.5
            right = draw.random() < (0.8 if careful else 0.2)
            answer = str(number + 1 if right else number + draw.choice([2, 3]))
            text = f"Step by step: {number} + 1 = {answer}." if careful else f"It must be {answer}. {step} {place}"
            rows.append(
                Rationale(
                    f"q{number}", (1, 2, 3), text, answer, Verdict.RIGHT if right else Verdict.WRONG, "", "self",
                    draw.choice(["m", "n"]), step, place, 0, "stop", -draw.random(),
                )
            )  # fmt: skip
        table.append(rows)
        table.flush(step)
    lines = (f'{{"id": "q{n}", "question": "What is {n} and one?", "answer": "{n + 1}"}}\n' for n in range(60))
    (folder / "asked.jsonl").write_text("".join(lines))
    return RankSettings(from_=str(folder), data=str(folder / "asked.jsonl"), out=str(folder / "whole"), samples=4)


@pytest.mark.parametrize("word", ["alone", "words"])
def test_a_ranker_of_a_table_that_is_read_by_batches_is_that_of_the_whole_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    pytest.importorskip("sklearn")
    settings = sums(tmp_path).model_copy(update={word: True})
    said: list[list[str]] = [[], []]
    whole = run_rank(settings, say=said[0].append)
    with monkeypatch.context() as patched:
        patched.setattr(by_question, "ROWS_TOGETHER", 50)
        patched.setattr(kept_pools, "IN_MEMORY", 1000)
        parts = run_rank(settings.model_copy(update={"out": str(tmp_path / "parts")}), say=said[1].append)
    assert said[0] == said[1]
    assert "1440 rationales on 60 questions" in said[0][0] + said[0][1]
    assert parts.report == whole.report
    assert (parts.calibration, parts.models) == (whole.calibration, ("m", "n"))
    (pools,) = read_pools(str(tmp_path), settings, said[0].append)
    assert np.array_equal(np.concatenate(parts.scores(pools)), np.concatenate(whole.scores(pools)))
    assert parts.report["auc"] > 0.7


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rationales' texts were in memory at every fiftieth pool whose features were computed."""
    found: list[int] = []
    places = itertools.count()

    def counted(pool: CandidatePool) -> object:
        if next(places) % 50 == 49:
            found.append(sum(type(one) is Candidate for one in gc.get_objects()))
        return pool_features(pool)

    monkeypatch.setattr("aurify.voting.inputs.pool_features", counted)
    return found


def test_texts_are_let_go_once_their_features_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: list[int]
) -> None:
    pytest.importorskip("sklearn")
    settings = sums(tmp_path)
    gc.collect()
    before = sum(type(one) is Candidate for one in gc.get_objects())
    monkeypatch.setattr(by_question, "ROWS_TOGETHER", 50)
    run_rank(settings)
    assert len(alive) > 5
    assert max(alive) - before < 300, "of 1,440"
