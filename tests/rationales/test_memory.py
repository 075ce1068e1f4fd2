from __future__ import annotations

import io
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aurify.answers import Verdict
from aurify.errors import AurifyError
from aurify.rationales import Chain, Memory, Rationale
from aurify.rationales.memory import FADING

PIECE = "memory-00000001-00000001.parquet"


def rationale(text: str, right: bool = True, question: str = "q") -> Rationale:
    return Rationale(
        question_id=question, token_ids=(1, 2, 3), text=text, predicted=None,
        verdict=Verdict.RIGHT if right else Verdict.WRONG, reason="why", source="guide", model="m", step=2,
        sample_index=0, seed=2**62, finish_reason="stop", logprob=-1.25,
    )  # fmt: skip


def test_a_chain_counts_its_visits_and_keeps_its_state_until_one_is_accepted():
    chain = Chain("q").started(rationale("first", right=False), step=2)
    assert not chain.right
    chain = chain.visited([rationale("a", False), rationale("b", False)], None, step=3)
    assert (chain.rationale.text, chain.since, chain.visits, chain.drawn, chain.accepted) == ("first", 2, 1, 2, 0)
    chain = chain.visited([rationale("c"), rationale("d")], rationale("d"), step=7)
    assert (chain.rationale.text, chain.since, chain.visits, chain.drawn, chain.accepted) == ("d", 7, 2, 4, 2)
    assert chain.right


@pytest.mark.parametrize("seed", range(4))
def test_a_chains_counts_are_those_of_its_history(seed):
    """Whole proposals tell of p(y | x); new ends of right rationales, and hinted ones, are counted by themselves."""
    random, chain, history = np.random.default_rng(seed), Chain("q"), []
    for step in range(1, 30):
        move = ("independent", "suffix", "guide")[random.integers(3)]
        row = [replace(rationale("z", bool(right)), move=move) for right in random.integers(2, size=2)]
        taken = row[0] if row[0].right and random.random() < 0.7 else None
        chain = chain.visited(row, taken, step)
        history.append((move, sum(one.right for one in row), taken is not None))
        whole = [right for kind, right, _ in history if kind == "independent"]
        other = [moved for kind, _, moved in history if kind != "independent"]
        assert (chain.visits, chain.drawn, chain.accepted) == (step, 2 * len(whole), sum(whole))
        assert (chain.others, chain.others_taken) == (len(other), sum(other))
        fading = [FADING**age for age in range(len(whole))]
        assert chain.remembered == pytest.approx(sum(fading))
        assert chain.lately == pytest.approx(sum(w for w, right in zip(fading, reversed(whole), strict=True) if right))


@pytest.mark.parametrize(
    "chains",
    [
        [],
        [Chain("a")],
        [Chain("q", rationale("näïve\x1b[0m"), 3, 4, 5, 1)],
        [
            Chain("b", visits=2, drawn=2),
            Chain("a", rationale("x", question="a"), 1, 1, 1, 1),
            Chain("q", rationale("", False)),
        ],
    ],
)
def test_what_is_saved_is_what_is_loaded(chains):
    files = {name: file.content() for name, file in Memory(chains).save(1).items()}
    assert Memory.saved(files).chains() == sorted(chains, key=lambda chain: chain.question_id)


def test_a_question_never_visited_has_an_empty_chain():
    memory = Memory([Chain("a", visits=1)])
    assert "b" not in memory
    assert memory["b"] == Chain("b")
    memory.update([Chain("b", visits=9)])
    assert memory["b"].visits == 9
    assert len(memory) == 2


def test_a_damaged_memory_is_one_line():
    with pytest.raises(AurifyError, match="not a memory"):
        Memory.saved({PIECE: b"PAR1 not really"})


def test_chains_are_those_that_were_put_there_whatever_was_saved_between():
    draw, plain, step = random.Random(0), {}, 0
    memory, ids = Memory(), [f"q{i}é" for i in range(40)]
    for turn in range(90):
        for key in draw.sample(ids, draw.choice((1, 3, 20))):
            held = rationale(f"text {turn} {key}", draw.random() < 0.5, key) if draw.random() < 0.7 else None
            plain[key] = Chain(key, held, *(draw.randrange(9) for _ in range(6)))
            memory.update([plain[key]])
        if turn % 3 == 0:
            step += 1
            files = {name: file.content() for name, file in memory.save(step).items()}
            assert Memory.saved({**files, "start.json": b"{}"}).chains() == [plain[key] for key in sorted(plain)]
        if turn % 13 == 0:
            step += 1
            files = {name: file.content() for name, file in memory.save(step).items()}
            memory = Memory.saved(files)
            assert memory.save(step).keys() == files.keys(), "nothing changed"
        assert {key: memory[key] for key in plain} == plain
        assert len(memory) == len(plain)
        assert all((key in memory) == (key in plain) for key in ids)
    assert memory.chains() == [plain[key] for key in sorted(plain)]


def test_a_save_writes_what_changed_and_no_more_in_the_mean():
    memory, encoded = Memory(Chain(f"q{i:04d}", visits=1) for i in range(2048)), 0
    before: dict[str, object] = {}
    for step in range(1, 400):
        files = memory.save(step)
        for name, file in files.items():
            if before.get(name) is not file:
                assert name not in before, "a name is of one content"
                encoded += pq.read_metadata(io.BytesIO(file.content())).num_rows
        sizes = [pq.read_metadata(io.BytesIO(file.content())).num_rows for file in files.values()]
        assert all(older >= 2 * newer for older, newer in pairwise(sizes))
        assert sum(sizes) < 2 * 2048
        before = dict(files)
        memory.update([Chain(f"q{(8 * step + i) % 2048:04d}", visits=step) for i in range(8)])
    assert encoded < 2048 + 400 * 8 * 12, "each changed row about as often as the number of rows has digits"


def test_what_no_chain_can_be_made_of_is_refused_when_it_is_read():
    saved = Memory([Chain("a", rationale("x", question="a")), Chain("b")]).save(1)[PIECE]
    good = pq.read_table(io.BytesIO(saved.content()))

    def without(name: str, value: object) -> bytes:
        place = good.column_names.index(name)
        values = [value, *good[name].to_pylist()[1:]]
        sink = io.BytesIO()
        pq.write_table(good.set_column(place, name, pa.array(values, good.schema.field(name).type)), sink)
        return sink.getvalue()

    for name, value in (
        ("question_id", None), ("question_id", "b"), ("chain_visits", None), ("verdict", "perhaps"), ("seed", None),
        ("token_ids", None), ("token_ids", [1, None]),
    ):  # fmt: skip
        with pytest.raises(AurifyError, match="not a memory that can be read"):
            Memory.saved({PIECE: without(name, value)})
    assert Memory.saved({PIECE: without("logprob", None)})["a"].rationale.logprob is None
